// SPDX-License-Identifier: Apache-2.0
// Any bytes as what a server sends on a connection: a request ends with an answer or a
// reason, keeps to its limits, and shows no control character. The first byte picks the
// request: as a storage makes it, a registry, or a feed's download; a second one how
// large the answer may be. A thread is the server, on 127.0.0.1.
#include <arpa/inet.h>
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz_parts.h"

#include "core/storage.h"
#include "gtfs/feed_kind.h"
#include "http/client.h"

const struct fuzz_budget fuzz_budget = {
    .steps = 30000,
    .steps_a_byte = 300,
    .bytes = 16 << 20, // a transfer's buffers, for each redirect
    .bytes_a_byte = 1000,
    .held = 1500 << 10,
    .held_a_byte = 500,
};

enum {
    TIMEOUT_MS = 3000
};

static int listener, port;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct str answer; // under the lock

static void set_answer(struct str text)
{
    pthread_mutex_lock(&lock);
    answer = text;
    pthread_mutex_unlock(&lock);
}

static void send_answer(int fd)
{
    pthread_mutex_lock(&lock);
    (void)!send(fd, answer.p, answer.n, MSG_NOSIGNAL);
    pthread_mutex_unlock(&lock);
}

static void *serve(UNUSED void *context)
{
    for (;;) {
        char request[4096];
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        if (recv(fd, request, sizeof(request), 0) > 0)
            send_answer(fd);
        shutdown(fd, SHUT_WR);
        while (recv(fd, request, sizeof(request), 0) > 0)
            ; // so that what was sent is not lost by a reset
        close(fd);
    }
}

static void start_server(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(address);
    pthread_t thread;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = listener >= 0 && bind(listener, (struct sockaddr *)&address, n) == 0 &&
                listen(listener, 16) == 0 &&
                getsockname(listener, (struct sockaddr *)&address, &n) == 0 &&
                pthread_create(&thread, NULL, serve, NULL) == 0;
    assert(good);
    pthread_detach(thread);
    port = ntohs(address.sin_port);
}

// Takes what comes, and counts it.
struct counting_sink {
    struct http_sink sink;
    size_t n;
};

static enum status count(struct http_sink *sink, struct str bytes, UNUSED struct err *err)
{
    ((struct counting_sink *)sink)->n += bytes.n;
    return ST_OK;
}

// `most`: how large the answer may be; odd: it goes to a sink.
static void check_request(struct http_request request, size_t most)
{
    struct http_config config = {0};
    struct http *http = http_open(&config);
    struct counting_sink into = {{.write = count}, 0};
    struct http_answer ret = {0};
    struct err err = {0};
    request.into = most & 1 ? &into.sink : NULL;
    request.into_max = (int64_t)most;
    request.limits = (struct http_limits){TIMEOUT_MS, TIMEOUT_MS, 1, TIMEOUT_MS};
    enum http_outcome outcome = http_send(http, &request, &ret, &err);
    assert(outcome != HTTP_FAILED);
    assert(into.n <= most);
    assert(ret.code != 200 || ret.body.n <= most);
    assert(ret.body.n <= HTTP_REFUSAL_MAX || ret.body.n <= most);
    assert(outcome == HTTP_ANSWERED ? ret.why[0] == '\0' : ret.why[0] != '\0');
    assert(strstr(ret.why, "s3cret-word") == NULL);
    http_answer_release(&ret);
    http_close(http);
}

static void check_storage(const char *url, size_t most)
{
    check_request((struct http_request){.url = url, .fresh = true, .framed = most & 2},
                  most);
}

static void check_registry(const char *url, size_t most)
{
    struct http_login login = {.user = "me", .password = "s3cret-word"};
    struct bytes_reader body = bytes_reader(STR_LITERAL("{}"));
    struct http_request request = {.url = url, .login = &login};
    if (most & 2) {
        request.method = HTTP_POST;
        request.body = &body.reader;
        request.body_bytes = 2;
    }
    check_request(request, most);
}

static void check_download(const char *url, size_t most)
{
    struct feed_options options = {.download_bytes = (int64_t)most + 1,
                                   .download_ms = TIMEOUT_MS};
    struct err err = {0};
    int fd = -1;
    struct http_url parts = {.url = url, .shown = "the feed"};
    fuzz_allow(0, 11 * (512 << 10)); // a buffer for each of its redirects, in turn
    enum status rc = feed_download(&parts, &options, &fd, &err);
    if (rc == ST_OK) {
        assert(lseek(fd, 0, SEEK_END) <= options.download_bytes);
        close(fd);
        return;
    }
    assert(strstr(err.text, "the feed") != NULL);
    for (const char *p = err.text; *p != '\0'; p++)
        assert((unsigned char)*p >= 0x20);
}

void fuzz_input(const uint8_t *data, size_t size)
{
    static void (*const clients[])(const char *, size_t) = {check_storage, check_registry,
                                                            check_download};
    char url[64];
    struct str rest = {(const char *)data, size};
    if (port == 0)
        start_server();
    unsigned client = fuzz_byte(&rest);
    size_t most = (size_t)fuzz_byte(&rest) * 8;
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/x", port);
    struct str copy = fuzz_copy(rest);
    set_answer(copy);
    clients[client % ARRAY_LEN(clients)](url, most);
    set_answer((struct str){0});
    free((char *)copy.p);
}
