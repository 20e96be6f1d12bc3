// SPDX-License-Identifier: Apache-2.0
// Downloads of feeds: redirects, limits of time and size.
#include <errno.h>
#include <unistd.h>

#include "base/file.h"
#include "gtfs/feed_kind.h"
#include "http/url.h"

enum {
    REDIRECTS_MAX = 10,
    CONNECT_MS = 30000,
    SLOW_BYTES = 60000, // in SLOW_MS; fewer: given up
    SLOW_MS = 60000
};

struct download {
    struct http_sink sink; // first member: a download is a sink
    int fd;
    const char *shown;
    struct feed_progress *progress; // NULL: tells nobody
};

static enum status write_bytes(struct http_sink *sink, struct str bytes, struct err *err)
{
    const struct download *download = (struct download *)sink;
    for (size_t done = 0; done < bytes.n;) {
        ssize_t written = write(download->fd, bytes.p + done, bytes.n - done);
        if (written < 0 && errno != EINTR)
            return err_set(err, ST_FAIL,
                           "cannot download %s: a temporary file cannot be written: %s; "
                           "set TMPDIR to another place",
                           download->shown, strerror(errno));
        done += written < 0 ? 0 : (size_t)written;
    }
    return ST_OK;
}

static void tell_progress(struct http_sink *sink, int64_t done, int64_t total)
{
    struct download *download = (struct download *)sink;
    if (download->progress != NULL)
        download->progress->bytes(download->progress, download->shown, done, total);
}

static enum status status_of_http(int code)
{
    if (code == 404 || code == 410)
        return ST_NOT_FOUND;
    return code == 429 || code >= 500 ? ST_RETRY : ST_FAIL;
}

static enum status no_answer(const struct http_answer *answer, enum http_outcome outcome,
                             const char *shown, struct err *err)
{
    switch (answer->trouble) {
    case HTTP_TROUBLE_TOO_LONG:
        return err_set(err, ST_LIMIT, "cannot download %s: %s", shown, answer->why);
    case HTTP_TROUBLE_TOO_LATE:
        return err_set(err, ST_RETRY,
                       "cannot download %s: %s; SET feed.timeout gives it longer", shown,
                       answer->why);
    case HTTP_TROUBLE_ANY:
    case HTTP_TROUBLE_NAME:
        return err_set(err, outcome == HTTP_HOPELESS ? ST_FAIL : ST_RETRY,
                       "cannot download %s: %s", shown, answer->why);
    default:
        return err_set(err, ST_FAIL, "cannot download %s: %s", shown, answer->why);
    }
}

static enum status perform(const struct http_url *url, struct download *download,
                           const struct feed_options *options, struct err *err)
{
    static const char *const headers[] = {"User-Agent: tramline", NULL};
    struct http_config config = {.headers = headers, .proxy = true};
    struct http_request request = {
        .url = url->url,
        .login = &url->login,
        .into = &download->sink,
        .into_max = options->download_bytes,
        .redirects = REDIRECTS_MAX,
        .limits = {.connect_ms = CONNECT_MS,
                   .slow_ms = SLOW_MS,
                   .slow_bytes = SLOW_BYTES,
                   .whole_ms = options->download_ms},
        .deadline = options->deadline,
    };
    AUTO(http_answer_release) struct http_answer answer = {0};
    struct http *http = http_open(&config);
    enum http_outcome outcome = http_send(http, &request, &answer, err);
    http_close(http);
    if (outcome == HTTP_FAILED)
        return err->status;
    if (outcome != HTTP_ANSWERED)
        return no_answer(&answer, outcome, url->shown, err);
    if (answer.code != 200)
        return err_set(err, status_of_http(answer.code), "cannot download %s: HTTP %d",
                       url->shown, answer.code);
    return ST_OK;
}

static enum status open_temporary(int *ret_fd, struct err *err)
{
    const char *directory;
    int fd = file_open_temporary(&directory);
    if (fd < 0)
        return err_set(err, ST_FAIL,
                       "cannot make a temporary file in %s: %s; set TMPDIR to another "
                       "place",
                       directory, strerror(errno));
    *ret_fd = fd;
    return ST_OK;
}

enum status feed_download(const struct http_url *url, const struct feed_options *options,
                          int *ret_fd, struct err *err)
{
    struct download download = {.sink = {write_bytes, tell_progress},
                                .fd = -1,
                                .shown = url->shown,
                                .progress = options->progress};
    TRY(open_temporary(&download.fd, err));
    enum status rc = perform(url, &download, options, err);
    if (rc == ST_OK)
        *ret_fd = download.fd;
    else
        close(download.fd);
    return rc;
}
