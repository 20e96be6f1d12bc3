// SPDX-License-Identifier: Apache-2.0
// Downloads by libcurl: http and https, redirects, limits of time and size.
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "gtfs/feed_kind.h"

enum {
    REDIRECTS_MAX = 10,
    CONNECT_S = 30,
    SLOW_BYTES = 1000, // a second, for SLOW_S seconds: given up
    SLOW_S = 60
};

struct download {
    int fd;
    int write_errno; // 0: all was written
    int64_t n_bytes;
    const char *shown;
    const struct feed_options *options;
    bool is_too_long;
};

char *feed_shown_url(const char *url)
{
    CURLU *parts = curl_url();
    char *text = NULL;
    if (curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK) {
        curl_url_set(parts, CURLUPART_USER, NULL, 0);
        curl_url_set(parts, CURLUPART_PASSWORD, NULL, 0);
        curl_url_set(parts, CURLUPART_QUERY, NULL, 0);
        curl_url_set(parts, CURLUPART_FRAGMENT, NULL, 0);
        curl_url_get(parts, CURLUPART_URL, &text, 0);
    }
    char *copy = text ? mem_strdup(text) : NULL;
    curl_free(text);
    curl_url_cleanup(parts);
    return copy;
}

static size_t write_bytes(char *p, UNUSED size_t size, size_t n, void *context)
{
    struct download *download = context;
    download->n_bytes += (int64_t)n;
    download->is_too_long = download->n_bytes > download->options->download_bytes;
    if (download->is_too_long)
        return 0;
    for (size_t done = 0; done < n;) {
        ssize_t written = write(download->fd, p + done, n - done);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0) {
            download->write_errno = errno;
            return 0;
        }
        done += (size_t)written;
    }
    return n;
}

static int tell_progress(void *context, curl_off_t total, curl_off_t done,
                         UNUSED curl_off_t up_total, UNUSED curl_off_t up_done)
{
    struct download *download = context;
    struct feed_progress *progress = download->options->progress;
    if (progress != NULL)
        progress->bytes(progress, download->shown, done, total > 0 ? total : -1);
    return 0;
}

static void set_options(CURL *curl, const char *url, struct download *download,
                        char *error)
{
    bool is_secure = str_starts_with(str_of(url), "https:");
    const struct feed_options *options = download->options;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    // A secure feed is not followed to where anybody can change it.
    curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR,
                     is_secure ? "https" : "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "tramline");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)options->download_ms);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)SLOW_S);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, write_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, download);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, tell_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, download);
}

static enum status status_of_http(long code)
{
    if (code == 404 || code == 410)
        return ST_NOT_FOUND;
    return code == 429 || code >= 500 ? ST_RETRY : ST_FAIL;
}

// What a second try may heal.
static bool is_network(CURLcode code)
{
    return code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY ||
           code == CURLE_COULDNT_CONNECT || code == CURLE_OPERATION_TIMEDOUT ||
           code == CURLE_PARTIAL_FILE || code == CURLE_GOT_NOTHING ||
           code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR;
}

static enum status explain(CURL *curl, CURLcode code, const struct download *download,
                           const char *error, struct err *err)
{
    const char *shown = download->shown;
    if (download->is_too_long)
        return err_set(err, ST_LIMIT, "cannot download %s: more than %lld bytes", shown,
                       (long long)download->options->download_bytes);
    if (download->write_errno)
        return err_set(err, ST_FAIL,
                       "cannot download %s: a temporary file cannot be written: %s; set "
                       "TMPDIR to another place",
                       shown, strerror(download->write_errno));
    long http = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &http);
    if (code == CURLE_HTTP_RETURNED_ERROR)
        return err_set(err, status_of_http(http), "cannot download %s: HTTP %ld", shown,
                       http);
    if (code == CURLE_TOO_MANY_REDIRECTS)
        return err_set(err, ST_FAIL,
                       "cannot download %s: it redirects more than %d times", shown,
                       REDIRECTS_MAX);
    if (code == CURLE_UNSUPPORTED_PROTOCOL) // the URL's own is supported
        return err_set(err, ST_FAIL,
                       "cannot download %s: it redirects to another protocol, which is "
                       "not followed",
                       shown);
    const char *text = *error ? error : curl_easy_strerror(code);
    return err_set(err, is_network(code) ? ST_RETRY : ST_FAIL, "cannot download %s: %s",
                   shown, text);
}

static enum status perform(const char *url, struct download *download, struct err *err)
{
    char error[CURL_ERROR_SIZE] = "";
    CURL *curl = curl_easy_init();
    if (curl == NULL)
        abort(); // out of memory
    set_options(curl, url, download, error);
    CURLcode code = curl_easy_perform(curl);
    enum status rc = code == CURLE_OK ? ST_OK : explain(curl, code, download, error, err);
    curl_easy_cleanup(curl);
    return rc;
}

static enum status open_temporary(int *ret_fd, struct err *err)
{
    const char *tmp = getenv("TMPDIR");
    const char *directory = tmp && tmp[0] ? tmp : "/tmp";
    AUTO(mem_auto_free) char *path = mem_printf("%s/tramline-XXXXXX", directory);
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return err_set(err, ST_FAIL,
                       "cannot make a temporary file in %s: %s; set TMPDIR to another "
                       "place",
                       directory, strerror(errno));
    unlink(path);
    *ret_fd = fd;
    return ST_OK;
}

enum status feed_download(const char *url, const char *shown,
                          const struct feed_options *options, int *ret_fd,
                          struct err *err)
{
    struct download download = {.fd = -1, .shown = shown, .options = options};
    TRY(open_temporary(&download.fd, err));
    enum status rc = perform(url, &download, err);
    if (rc == ST_OK)
        *ret_fd = download.fd;
    else
        close(download.fd);
    return rc;
}
