// SPDX-License-Identifier: Apache-2.0
#include "http/client.h"

#include <stdlib.h>

#include "base/mem.h"
#include "core/env.h"
#include "http/transfer.h"
#include "http/url.h"

enum {
    BUFFER_BYTES = 512 << 10
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
    http->kerberos = config->kerberos;
    http->proxy = config->proxy;
    if (config->ca_file != NULL && config->ca_file[0] != '\0')
        http->ca_file = mem_strdup(config->ca_file);
    http->curl = curl_easy_init();
    if (http->curl == NULL)
        abort(); // out of memory
    // The server's cookie saves the next requests the handshake. A list that is a comment
    // turns cookies on for good; CURLOPT_COOKIEFILE leaks at each curl_easy_reset.
    if (config->kerberos)
        curl_easy_setopt(http->curl, CURLOPT_COOKIELIST, "# none yet");
    // No "Expect: 100-continue": a data node says yes before it has looked.
    http->headers = curl_slist_append(NULL, "Expect:");
    http->has_headers = config->headers != NULL && config->headers[0] != NULL;
    for (size_t i = 0; config->headers != NULL && config->headers[i] != NULL; i++)
        http->headers = curl_slist_append(http->headers, config->headers[i]);
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

bool http_is_doubtful(enum http_trouble trouble)
{
    return trouble == HTTP_TROUBLE_NAME || trouble == HTTP_TROUBLE_TLS ||
           trouble == HTTP_TROUBLE_NOT_HTTP;
}

enum status http_broken_promise(struct transfer *transfer, bool is_more)
{
    return err_set(transfer->err, ST_FAIL, "%lld bytes were promised and %s came",
                   (long long)transfer->request->body_bytes, is_more ? "more" : "fewer");
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
    if (transfer->body_left < 0 || (n == 0 && transfer->body_left > 0))
        return fail_read(transfer,
                         http_broken_promise(transfer, transfer->body_left < 0));
    return n;
}

static long code_of(const struct transfer *transfer)
{
    long code = 0;
    if (transfer->is_by_file)
        return transfer->code;
    curl_easy_getinfo(transfer->http->curl, CURLINFO_RESPONSE_CODE, &code);
    return code;
}

// Bytes of the body that comes now.
static int64_t longest_body(const struct transfer *transfer)
{
    return code_of(transfer) == 200 ? transfer->request->into_max : HTTP_REFUSAL_MAX;
}

static size_t end(struct transfer *transfer, enum ended ended)
{
    transfer->ended = ended;
    return 0;
}

// The body of a 200.
static size_t take(struct transfer *transfer, struct str bytes)
{
    struct http_sink *into = transfer->request->into;
    transfer->n_into += (int64_t)bytes.n;
    if (transfer->n_into > transfer->request->into_max)
        return end(transfer, ENDED_FOR_LENGTH);
    if (into == NULL)
        buf_append(&transfer->answer->body, bytes.p, bytes.n);
    else
        transfer->failed = into->write(into, bytes, transfer->err);
    return transfer->failed == ST_OK ? bytes.n : 0;
}

size_t http_on_write(char *p, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    struct buf *body = &transfer->answer->body;
    struct str bytes = {p, size * count};
    if (code_of(transfer) == 200)
        return take(transfer, bytes);
    size_t left = HTTP_REFUSAL_MAX - body->n;
    buf_append(body, bytes.p, bytes.n < left ? bytes.n : left);
    return bytes.n <= left ? bytes.n : end(transfer, ENDED_WITH_ENOUGH);
}

static void note_header(struct transfer *transfer, struct str line)
{
    struct http_answer *answer = transfer->answer;
    struct str value = line;
    struct str name = str_cut(&value, ':');
    if (value.p == NULL)
        return;
    value = str_trim(value);
    if (str_eq_nocase(name, STR_LITERAL("Location"))) {
        free(answer->location);
        answer->location = mem_strndup(value.p, value.n);
        if (transfer->request->redirects > 0 &&
            http_url_leads_to_login(transfer->request->url, answer->location))
            transfer->ended = ENDED_FOR_LOGIN;
    }
    transfer->head_has_length |= str_eq_nocase(name, STR_LITERAL("Content-Length")) ||
                                 str_eq_nocase(name, STR_LITERAL("Transfer-Encoding"));
}

// A line of the head of an answer; also of those that stand before the last one, and of
// what follows a body in chunks, which is not looked at.
size_t http_on_header(char *p, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    struct str line = {p, size * count};
    transfer->n_head += line.n;
    if (transfer->n_head > HTTP_HEAD_MAX)
        return end(transfer, ENDED_FOR_LONG_HEADERS);
    if (str_starts_with(line, "HTTP/")) {
        transfer->head_is_whole = transfer->head_has_length = false;
        free(transfer->answer->location);
        transfer->answer->location = NULL;
    } else if (str_trim(line).n == 0) {
        transfer->head_is_whole = true;
    } else if (!transfer->head_is_whole) {
        note_header(transfer, line);
    }
    return transfer->ended == ENDED_BY_ITSELF ? line.n : 0;
}

static bool is_slow(struct transfer *transfer, int64_t n_moved)
{
    const struct http_limits *limits = &transfer->request->limits;
    if (limits->slow_ms >= limits->whole_ms) // that is the limit, then
        return false;
    int64_t n = n_moved + (int64_t)transfer->n_head;
    if (n - transfer->n_moved >= limits->slow_bytes || n < transfer->n_moved) {
        transfer->n_moved = n;
        transfer->moved_ms = now_ms();
    }
    return now_ms() - transfer->moved_ms > limits->slow_ms;
}

// Called at least once a second. Non-zero ends the transfer. The body of an answer that
// redirects comes by here alone.
int http_on_progress(void *context, curl_off_t down_total, curl_off_t down,
                     UNUSED curl_off_t up_total, curl_off_t up)
{
    struct transfer *transfer = context;
    const struct http_request *request = transfer->request;
    struct http_sink *into = request->into;
    if (deadline_is_over(request->deadline, now_ms()))
        transfer->ended = ENDED_BY_DEADLINE;
    else if (is_slow(transfer, down + up))
        transfer->ended = ENDED_FOR_SLOWNESS;
    else if (code_of(transfer) / 100 == 3 && request->redirects > 0 &&
             down > HTTP_REFUSAL_MAX)
        transfer->ended = ENDED_FOR_LENGTH;
    else if (into != NULL && into->progress != NULL)
        into->progress(into, down, down_total > 0 ? down_total : -1);
    return transfer->ended != ENDED_BY_ITSELF;
}

static void set_method(CURL *curl, const struct http_request *request)
{
    curl_off_t n = request->body ? request->body_bytes : 0;
    if (request->method == HTTP_PUT) {
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, n);
    } else if (request->method == HTTP_POST) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, n);
    } else if (request->method == HTTP_DELETE) {
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, "DELETE");
    }
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

// Of the time that is left until the deadline one ms more, so that it is over then.
int64_t http_whole_ms(const struct http_request *request)
{
    return deadline_left(request->deadline, now_ms(), request->limits.whole_ms - 1) + 1;
}

static void set_limits(CURL *curl, const struct http_request *request)
{
    const struct http_limits *limits = &request->limits;
    int64_t whole_ms = http_whole_ms(request);
    int64_t connect_ms = smaller(limits->connect_ms, whole_ms);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)whole_ms);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    // A thread that looks a name up is not waited for.
    curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
}

static void set_redirects(CURL *curl, const struct http_request *request)
{
    bool is_tls = str_starts_with(str_of(request->url), "https:");
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    if (request->redirects == 0) {
        curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
        return;
    }
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)request->redirects);
    curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, is_tls ? "https" : "http,https");
}

static void set_login(CURL *curl, const struct http_login *login)
{
    if (login == NULL)
        return;
    if (login->token != NULL) {
        curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, login->token);
    } else if (login->user != NULL) {
        curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl_easy_setopt(curl, CURLOPT_USERNAME, login->user);
        curl_easy_setopt(curl, CURLOPT_PASSWORD, login->password ? login->password : "");
    }
}

static void set_security(CURL *curl, const struct http *http,
                         const struct http_request *request)
{
    if (http->ca_file != NULL)
        curl_easy_setopt(curl, CURLOPT_CAINFO, http->ca_file);
    set_login(curl, request->login);
    if (!http->kerberos || !request->sign_in)
        return;
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_NEGOTIATE);
    curl_easy_setopt(curl, CURLOPT_USERPWD, ":");
}

static void set_callbacks(CURL *curl, struct transfer *transfer)
{
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(curl, CURLOPT_READDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, http_on_write);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, http_on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, http_on_progress);
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
    if (!http->proxy)
        curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, http->headers);
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, (long)BUFFER_BYTES);
    curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, (long)BUFFER_BYTES);
    curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, (long)request->fresh);
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, (long)request->fresh);
    set_method(curl, request);
    set_limits(curl, request);
    set_redirects(curl, request);
    set_security(curl, http, request);
    set_callbacks(curl, transfer);
}

static bool is_late(const struct transfer *transfer)
{
    return transfer->ended == ENDED_BY_DEADLINE ||
           deadline_is_over(transfer->request->deadline, now_ms());
}

static bool is_begun(const struct transfer *transfer)
{
    curl_off_t ready_us = 0;
    curl_easy_getinfo(transfer->http->curl, CURLINFO_PRETRANSFER_TIME_T, &ready_us);
    return ready_us > 0 || transfer->n_head > 0 || transfer->n_sent > 0;
}

// What later versions of libcurl than Debian 12's say of more than 5,000 headers, and
// without a text of one that is too long.
#if LIBCURL_VERSION_NUM >= 0x080600
#define TOO_MANY_HEADERS CURLE_TOO_LARGE
#else
#define TOO_MANY_HEADERS CURL_LAST
#endif

static enum http_trouble trouble_of(const struct transfer *transfer, CURLcode code)
{
    if (transfer->ended == ENDED_FOR_LENGTH || transfer->ended == ENDED_FOR_LONG_HEADERS)
        return HTTP_TROUBLE_TOO_LONG;
    if (transfer->ended == ENDED_FOR_LOGIN)
        return HTTP_TROUBLE_REDIRECT;
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        return is_begun(transfer) && !is_late(transfer) ? HTTP_TROUBLE_TOO_LATE
                                                        : HTTP_TROUBLE_ANY;
    case CURLE_OUT_OF_MEMORY: // so libcurl says of a header of more than 100 KiB
    case TOO_MANY_HEADERS:
        return HTTP_TROUBLE_TOO_LONG;
    case CURLE_COULDNT_RESOLVE_HOST:
        return HTTP_TROUBLE_NAME;
    case CURLE_SSL_CONNECT_ERROR:
        return HTTP_TROUBLE_TLS;
    case CURLE_PEER_FAILED_VERIFICATION:
        return HTTP_TROUBLE_CERTIFICATE;
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
        return HTTP_TROUBLE_CA_FILE;
    case CURLE_TOO_MANY_REDIRECTS:
        return HTTP_TROUBLE_REDIRECT;
    case CURLE_UNSUPPORTED_PROTOCOL:
        return code_of(transfer) / 100 == 3 ? HTTP_TROUBLE_REDIRECT
                                            : HTTP_TROUBLE_NOT_HTTP;
    default:
        return HTTP_TROUBLE_ANY;
    }
}

static bool is_for_good(CURLcode code)
{
    return code == CURLE_URL_MALFORMAT || code == CURLE_PEER_FAILED_VERIFICATION ||
           code == CURLE_SSL_CERTPROBLEM || code == CURLE_SSL_CACERT_BADFILE;
}

// A head that is cut is none, and no "well done" for a body that was not taken whole.
static bool is_whole(const struct transfer *transfer)
{
    bool is_yes = transfer->answer->code < 300;
    bool may_be_cut = is_yes && transfer->request->framed && !transfer->head_has_length;
    return transfer->head_is_whole && !may_be_cut &&
           (transfer->body_left == 0 || !is_yes);
}

static bool is_answered(const struct transfer *transfer, CURLcode code)
{
    return transfer->ended == ENDED_WITH_ENOUGH ||
           (code == CURLE_OK && is_whole(transfer));
}

static enum http_outcome outcome_of(const struct transfer *transfer, CURLcode code)
{
    if (transfer->failed != ST_OK)
        return HTTP_FAILED;
    if (is_answered(transfer, code))
        return HTTP_ANSWERED;
    if (is_for_good(code))
        return HTTP_HOPELESS;
    long n_sent = 0;
    curl_easy_getinfo(transfer->http->curl, CURLINFO_REQUEST_SIZE, &n_sent);
    return n_sent == 0 && transfer->n_sent == 0 ? HTTP_NOT_SENT : HTTP_LOST;
}

static void explain_time(const struct transfer *transfer, char *ret, size_t size)
{
    const struct http_limits *limits = &transfer->request->limits;
    curl_off_t n = 0;
    curl_easy_getinfo(transfer->http->curl, CURLINFO_SIZE_DOWNLOAD_T, &n);
    n += (curl_off_t)(transfer->n_received + (int64_t)transfer->n_head);
    bool was_slow = transfer->ended == ENDED_FOR_SLOWNESS;
    if (is_late(transfer))
        snprintf(ret, size, "no answer in the time that was left");
    else if (!is_begun(transfer))
        snprintf(ret, size, "no connection within %g s",
                 (double)smaller(limits->connect_ms, limits->whole_ms) / 1000);
    else if (was_slow && limits->slow_bytes > 1)
        snprintf(ret, size, "fewer than %lld bytes came within %g s",
                 (long long)limits->slow_bytes, (double)limits->slow_ms / 1000);
    else if (was_slow || n == 0)
        snprintf(ret, size, "nothing came for %g s",
                 (double)smaller(limits->slow_ms, limits->whole_ms) / 1000);
    else
        snprintf(ret, size, "it was not whole within %g s, after %lld bytes",
                 (double)limits->whole_ms / 1000, (long long)n);
}

static void explain_end(const struct transfer *transfer, CURLcode code, char *ret,
                        size_t size)
{
    const struct http_request *request = transfer->request;
    if (transfer->ended == ENDED_FOR_LENGTH)
        snprintf(ret, size, "the answer is longer than %lld bytes",
                 (long long)longest_body(transfer));
    else if (transfer->ended == ENDED_FOR_LONG_HEADERS)
        snprintf(ret, size, "the answer's headers are longer than %d bytes",
                 HTTP_HEAD_MAX);
    else if (code == CURLE_OUT_OF_MEMORY || code == TOO_MANY_HEADERS)
        snprintf(ret, size, "a header of the answer is longer than 102400 bytes");
    else if (code == CURLE_TOO_MANY_REDIRECTS)
        snprintf(ret, size, "it redirects more than %d times", request->redirects);
    else if (transfer->ended == ENDED_FOR_LOGIN)
        snprintf(ret, size,
                 "it redirects to a URL with a user in it, which is not "
                 "followed");
    else
        snprintf(ret, size, "it redirects to another protocol, which is not followed");
}

// "Connection refused" rather than libcurl's longer sentence.
static const char *reason_of(const struct transfer *transfer, CURLcode code)
{
    long error = 0;
    curl_easy_getinfo(transfer->http->curl, CURLINFO_OS_ERRNO, &error);
    if (code == CURLE_OK && transfer->body_left > 0)
        return "answered before all was sent";
    if (code == CURLE_OK && transfer->head_is_whole)
        return "the answer does not say how long it is";
    if (code == CURLE_OK || code == CURLE_GOT_NOTHING || code == CURLE_PARTIAL_FILE)
        return "the connection was closed before the answer was whole";
    if (code == CURLE_COULDNT_CONNECT && error != 0)
        return strerror((int)error);
    const char *text = transfer->http->why;
    return text[0] != '\0' ? text : curl_easy_strerror(code);
}

static void explain(const struct transfer *transfer, CURLcode code, char *ret,
                    size_t size)
{
    enum http_trouble trouble = transfer->answer->trouble;
    bool is_ours = trouble == HTTP_TROUBLE_REDIRECT || trouble == HTTP_TROUBLE_TOO_LONG;
    if (is_ours && !(code == TOO_MANY_HEADERS && transfer->http->why[0] != '\0'))
        explain_end(transfer, code, ret, size);
    else if (code == CURLE_OPERATION_TIMEDOUT || transfer->ended != ENDED_BY_ITSELF)
        explain_time(transfer, ret, size);
    else
        snprintf(ret, size, "%s", reason_of(transfer, code));
}

// A connection that goes by file is libcurl's no more: it has a handle of its own, with
// which it ends. Gives the one to be kept.
static CURL *begin(struct http *http, struct transfer *transfer)
{
    CURL *kept = http->curl;
    transfer->is_by_file = http_is_by_file(http, transfer->request);
    if (transfer->is_by_file)
        http->curl = curl_easy_init();
    if (http->curl == NULL)
        abort(); // out of memory
    set_up(http, transfer);
    return kept;
}

static void finish(struct http *http, CURL *kept)
{
    if (http->curl != kept)
        curl_easy_cleanup(http->curl);
    http->curl = kept;
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
    if (deadline_is_over(request->deadline, now_ms())) {
        snprintf(ret->why, sizeof(ret->why), "no time was left to ask");
        return HTTP_NOT_SENT;
    }
    CURL *kept = begin(http, &transfer);
    CURLcode code = transfer.is_by_file ? http_perform_by_file(&transfer)
                                        : curl_easy_perform(http->curl);
    ret->code = (int)code_of(&transfer);
    ret->trouble = trouble_of(&transfer, code);
    if (!is_answered(&transfer, code))
        explain(&transfer, code, ret->why, sizeof(ret->why));
    enum http_outcome outcome = outcome_of(&transfer, code);
    finish(http, kept);
    return outcome;
}
