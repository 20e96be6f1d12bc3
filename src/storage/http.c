// SPDX-License-Identifier: Apache-2.0
#include "storage/http.h"

#include <curl/curl.h>
#include <stdlib.h>

#include "base/mem.h"
#include "core/env.h"

enum {
    CONNECT_MS = 10000,
    SLOWEST_BYTES_MS = 64, // 64 KiB a second
    BODY_MAX = 64 << 20,
    BUFFER_BYTES = 512 << 10
};

struct http {
    CURL *curl;
    struct curl_slist *headers;
    struct http_config config;
    char *ca_file;
    char why[CURL_ERROR_SIZE];
};

// One request on its way.
struct transfer {
    struct http *http;
    const struct http_request *request;
    struct http_answer *answer;
    struct err *err;
    enum status failed; // of the reader or of `into`
    int64_t body_left;
    curl_off_t n_moved; // bytes, both ways
    int64_t moved_ms;   // when the last one moved
    bool is_late;       // ended for silence or its deadline
};

static int64_t now_ms(void)
{
    struct env *env = env_system();
    return env->ops->monotonic_ms(env);
}

struct http *http_open(const struct http_config *config)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
    struct http *http = mem_zalloc(sizeof(*http));
    http->config = *config;
    if (config->ca_file != NULL && config->ca_file[0] != '\0')
        http->ca_file = mem_strdup(config->ca_file);
    http->curl = curl_easy_init();
    // The server's cookie saves the next requests the handshake. A list that is a comment
    // turns cookies on for good; CURLOPT_COOKIEFILE leaks at each curl_easy_reset.
    if (config->kerberos)
        curl_easy_setopt(http->curl, CURLOPT_COOKIELIST, "# none yet");
    // No "Expect: 100-continue": a data node says yes before it has looked.
    http->headers = curl_slist_append(NULL, "Expect:");
    http->headers =
        curl_slist_append(http->headers, "Content-Type: application/octet-stream");
    return http;
}

void http_close(struct http *http)
{
    if (http == NULL)
        return;
    curl_slist_free_all(http->headers);
    curl_easy_cleanup(http->curl);
    free(http->ca_file);
    free(http);
    curl_global_cleanup();
}

void http_answer_release(struct http_answer *answer)
{
    buf_release(&answer->body);
    free(answer->location);
    *answer = (struct http_answer){0};
}

static size_t fail_read(struct transfer *transfer, enum status rc)
{
    transfer->failed = rc;
    return CURL_READFUNC_ABORT;
}

// The announced size is kept to: a shorter body would leave the server waiting, and what
// goes past it would be taken for the next request.
static size_t on_read(char *p, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    struct reader *reader = transfer->request->body;
    size_t n;
    if (reader == NULL)
        return 0;
    transfer->answer->body_read = true;
    enum status rc = reader->read(reader, p, size * count, &n, transfer->err);
    if (rc != ST_OK)
        return fail_read(transfer, rc);
    transfer->body_left -= (int64_t)n;
    if (transfer->body_left < 0 || (n == 0 && transfer->body_left > 0)) {
        rc = err_set(transfer->err, ST_FAIL, "%lld bytes were promised and %s came",
                     (long long)transfer->request->body_bytes,
                     transfer->body_left < 0 ? "more" : "fewer");
        return fail_read(transfer, rc);
    }
    return n;
}

// Where the body goes: `into` takes that of a 200 only.
static struct buf *body_of(struct transfer *transfer, size_t *ret_max)
{
    long code = 0;
    curl_easy_getinfo(transfer->http->curl, CURLINFO_RESPONSE_CODE, &code);
    bool is_wanted = code == 200 && transfer->request->into != NULL;
    *ret_max = is_wanted ? transfer->request->into_max : BODY_MAX;
    return is_wanted ? transfer->request->into : &transfer->answer->body;
}

static size_t on_write(char *p, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    size_t max;
    struct buf *body = body_of(transfer, &max);
    size_t n = size * count;
    if (body->n + n > max)
        transfer->failed =
            err_set(transfer->err, ST_FAIL, "the answer is longer than it may be");
    else
        buf_append(body, p, n);
    if (body->full)
        transfer->failed = buf_check(body, "the answer", transfer->err);
    return transfer->failed == ST_OK ? n : 0;
}

static size_t on_header(char *p, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    struct str value = {p, size * count};
    struct str name = str_cut(&value, ':');
    if (value.p != NULL && str_eq_nocase(name, STR_LITERAL("Location"))) {
        struct str location = str_trim(value);
        free(transfer->answer->location);
        transfer->answer->location = mem_strndup(location.p, location.n);
    }
    return size * count;
}

// Called at least once a second. Non-zero ends the transfer.
static int on_progress(void *context, UNUSED curl_off_t down_total, curl_off_t down,
                       UNUSED curl_off_t up_total, curl_off_t up)
{
    struct transfer *transfer = context;
    const struct http_config *config = &transfer->http->config;
    if (down + up != transfer->n_moved) {
        transfer->n_moved = down + up;
        transfer->moved_ms = now_ms();
    }
    bool is_silent = now_ms() - transfer->moved_ms > config->timeout_ms;
    transfer->is_late =
        is_silent || deadline_is_over(transfer->request->deadline, now_ms());
    return transfer->is_late;
}

static void set_method(CURL *curl, const struct http_request *request)
{
    if (request->method == HTTP_PUT) {
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE,
                         (curl_off_t)(request->body ? request->body_bytes : 0));
    } else if (request->method == HTTP_DELETE) {
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, "DELETE");
    }
}

static void set_limits(CURL *curl, const struct http_config *config,
                       const struct http_request *request)
{
    int64_t connect_ms =
        config->timeout_ms < CONNECT_MS ? config->timeout_ms : CONNECT_MS;
    int64_t n_bytes = request->body_bytes + (int64_t)request->into_max;
    int64_t most_ms = config->timeout_ms + n_bytes / SLOWEST_BYTES_MS;
    int64_t whole_ms = deadline_left(request->deadline, now_ms(), most_ms - 1) + 1;
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)whole_ms);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
}

static void set_security(CURL *curl, const struct http *http, bool sign_in)
{
    if (http->ca_file != NULL)
        curl_easy_setopt(curl, CURLOPT_CAINFO, http->ca_file);
    if (!http->config.kerberos || !sign_in)
        return;
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_NEGOTIATE);
    curl_easy_setopt(curl, CURLOPT_USERPWD, ":");
}

static void set_callbacks(CURL *curl, struct transfer *transfer)
{
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(curl, CURLOPT_READDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, transfer);
}

static void set_up(struct http *http, struct transfer *transfer)
{
    const struct http_request *request = transfer->request;
    CURL *curl = http->curl;
    curl_easy_reset(curl); // keeps connections and cookies
    http->why[0] = '\0';
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->why);
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, http->headers);
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, (long)BUFFER_BYTES);
    curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, (long)BUFFER_BYTES);
    curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, (long)request->fresh);
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, (long)request->fresh);
    set_method(curl, request);
    set_limits(curl, &http->config, request);
    set_security(curl, http, request->sign_in);
    set_callbacks(curl, transfer);
}

static bool is_for_good(CURLcode code)
{
    switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
        return true;
    default:
        return false;
    }
}

// CURLE_UNSUPPORTED_PROTOCOL: what came was no HTTP.
static bool is_doubtful(CURLcode code)
{
    return code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_SSL_CONNECT_ERROR ||
           code == CURLE_UNSUPPORTED_PROTOCOL;
}

// No "well done" for a body that was not taken whole.
static bool is_whole(const struct transfer *transfer)
{
    return transfer->body_left == 0 || transfer->answer->code >= 300;
}

static enum http_outcome outcome_of(const struct transfer *transfer, CURLcode code)
{
    if (transfer->failed != ST_OK)
        return HTTP_FAILED;
    if (code == CURLE_OK && is_whole(transfer))
        return HTTP_ANSWERED;
    if (is_for_good(code))
        return HTTP_HOPELESS;
    long n_sent = 0;
    curl_easy_getinfo(transfer->http->curl, CURLINFO_REQUEST_SIZE, &n_sent);
    return n_sent == 0 ? HTTP_NOT_SENT : HTTP_LOST;
}

// "Connection refused" rather than libcurl's longer sentence.
static void explain(const struct transfer *transfer, CURLcode code, char *ret,
                    size_t size)
{
    long error = 0;
    const char *text = transfer->http->why;
    curl_easy_getinfo(transfer->http->curl, CURLINFO_OS_ERRNO, &error);
    if (code == CURLE_OPERATION_TIMEDOUT || transfer->is_late)
        text = "no answer in time";
    else if (code == CURLE_GOT_NOTHING || code == CURLE_PARTIAL_FILE)
        text = "the connection was closed before the answer was whole";
    else if (code == CURLE_OK)
        text = "answered before all was sent";
    else if (code == CURLE_COULDNT_CONNECT && error != 0)
        text = strerror((int)error);
    else if (text[0] == '\0')
        text = curl_easy_strerror(code);
    snprintf(ret, size, "%s", text);
}

enum http_outcome http_send(struct http *http, const struct http_request *request,
                            struct http_answer *ret, struct err *err)
{
    struct transfer transfer = {
        .http = http,
        .request = request,
        .answer = ret,
        .err = err,
        .body_left = request->body_bytes,
        .moved_ms = now_ms(),
    };
    http_answer_release(ret);
    ret->body.limit = BODY_MAX;
    if (deadline_is_over(request->deadline, now_ms())) {
        snprintf(ret->why, sizeof(ret->why), "no time was left to ask");
        return HTTP_NOT_SENT;
    }
    set_up(http, &transfer);
    CURLcode code = curl_easy_perform(http->curl);
    long status = 0;
    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &status);
    ret->code = (int)status;
    ret->doubtful = is_doubtful(code);
    if (code != CURLE_OK || !is_whole(&transfer))
        explain(&transfer, code, ret->why, sizeof(ret->why));
    return outcome_of(&transfer, code);
}

void http_encode(struct buf *url, struct str s, bool is_path)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789-._~";
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if ((c != '\0' && strchr(plain, c) != NULL) || (c == '/' && is_path))
            buf_char(url, c);
        else
            buf_printf(url, "%%%02X", (unsigned)(unsigned char)c);
    }
}
