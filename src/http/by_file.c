// SPDX-License-Identifier: Apache-2.0
// A request whose body is a file: libcurl looks the name up and connects, exchange.c does
// the rest, and what became of it is put into the words of libcurl's codes.
#include "core/env.h"
#include "http/exchange.h"
#include "http/transfer.h"

enum {
    HEAD_MAX = 64 << 10 // of the request
};

#define PLAIN "http://"

struct by_file {
    struct transfer *transfer;
    struct exchange exchange;
    int64_t until_ms;
    bool is_over; // that time
};

static int64_t now_ms(void)
{
    return env_system()->ops->monotonic_ms(env_system());
}

// Nothing that libcurl would take out or encode.
static bool is_plain(struct str url)
{
    if (!str_starts_with(url, PLAIN))
        return false;
    for (size_t i = 0; i < url.n; i++)
        if (url.p[i] <= ' ' || url.p[i] >= 0x7F || url.p[i] == '#')
            return false;
    struct str rest = {url.p + sizeof(PLAIN) - 1, url.n - (sizeof(PLAIN) - 1)};
    const char *path = memchr(rest.p, '/', rest.n);
    return path != NULL && path > rest.p &&
           memchr(rest.p, '@', (size_t)(path - rest.p)) == NULL;
}

bool http_is_by_file(const struct http *http, const struct http_request *request)
{
    return request->method == HTTP_PUT && request->body != NULL &&
           request->body->file != NULL && request->login == NULL &&
           request->redirects == 0 && request->into == NULL && !http->proxy &&
           !http->has_headers && !(http->kerberos && request->sign_in) &&
           is_plain(str_of(request->url));
}

// As libcurl would write it.
static void put_head(const struct http_request *request, struct buf *head)
{
    const char *host = request->url + sizeof(PLAIN) - 1, *path = strchr(host, '/');
    buf_printf(head, "PUT %s HTTP/1.1\r\nHost: %.*s\r\nAccept: */*\r\n", path,
               (int)(path - host), host);
    buf_printf(head, "Content-Length: %lld\r\n\r\n", (long long)request->body_bytes);
}

static void note(struct by_file *by)
{
    const struct exchange *x = &by->exchange;
    struct transfer *transfer = by->transfer;
    transfer->code = x->code;
    transfer->n_sent = (int64_t)x->n_head_sent + x->n_sent;
    transfer->n_received = x->n_received;
    transfer->body_left = transfer->request->body_bytes - x->n_sent;
    transfer->answer->body_read = x->n_head_sent > 0;
}

static bool on_line(void *context, struct str line)
{
    struct by_file *by = context;
    note(by);
    return http_on_header((char *)(uintptr_t)line.p, 1, line.n, by->transfer) == line.n;
}

static bool on_body(void *context, struct str bytes)
{
    struct by_file *by = context;
    note(by);
    return http_on_write((char *)(uintptr_t)bytes.p, 1, bytes.n, by->transfer) == bytes.n;
}

static bool go_on(void *context)
{
    struct by_file *by = context;
    note(by);
    by->is_over = now_ms() >= by->until_ms;
    return !by->is_over && http_on_progress(by->transfer, 0, by->exchange.n_received, 0,
                                            by->transfer->n_sent) == 0;
}

static CURLcode say(const struct by_file *by, CURLcode code, const char *text)
{
    snprintf(by->transfer->http->why, CURL_ERROR_SIZE, "%s", text);
    return code;
}

static CURLcode say_errno(const struct by_file *by, CURLcode code, const char *what)
{
    snprintf(by->transfer->http->why, CURL_ERROR_SIZE, "%s failure: %s", what,
             strerror(by->exchange.number));
    return code;
}

static CURLcode result_of(struct by_file *by, enum exchange_end end)
{
    note(by);
    switch (end) {
    case EXCHANGE_DONE:
        return CURLE_OK;
    case EXCHANGE_STOPPED:
        return by->is_over ? CURLE_OPERATION_TIMEDOUT : CURLE_ABORTED_BY_CALLBACK;
    case EXCHANGE_CLOSED:
        return CURLE_GOT_NOTHING;
    case EXCHANGE_SEND:
        return say_errno(by, CURLE_SEND_ERROR, "Send");
    case EXCHANGE_RECEIVE:
        return say_errno(by, CURLE_RECV_ERROR, "Recv");
    case EXCHANGE_SHORT:
        by->transfer->failed = http_broken_promise(by->transfer, false);
        return CURLE_ABORTED_BY_CALLBACK;
    case EXCHANGE_NOT_HTTP:
        return say(by, CURLE_UNSUPPORTED_PROTOCOL, "Received HTTP/0.9 when not allowed");
    case EXCHANGE_LONG_LINE:
        break;
    }
    return CURLE_OUT_OF_MEMORY; // so libcurl says it
}

CURLcode http_perform_by_file(struct transfer *transfer)
{
    const struct http_request *request = transfer->request;
    CURL *curl = transfer->http->curl;
    AUTO(buf_release) struct buf head = BUF_INIT(HEAD_MAX);
    struct by_file by = {.transfer = transfer,
                         .until_ms = now_ms() + http_whole_ms(request)};
    curl_socket_t socket = CURL_SOCKET_BAD;
    curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 0L); // it would be ended at once
    CURLcode code = curl_easy_perform(curl);
    if (code == CURLE_OK)
        code = curl_easy_getinfo(curl, CURLINFO_ACTIVESOCKET, &socket);
    if (code != CURLE_OK)
        return code;
    put_head(request, &head);
    if (head.full || socket == CURL_SOCKET_BAD)
        return CURLE_URL_MALFORMAT;
    by.exchange = (struct exchange){
        .socket = socket,
        .head = buf_as_str(&head),
        .file = *request->body->file,
        .file_bytes = request->body_bytes,
        .line = on_line,
        .body = on_body,
        .go_on = go_on,
        .context = &by,
    };
    return result_of(&by, exchange_run(&by.exchange));
}
