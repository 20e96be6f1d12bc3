// SPDX-License-Identifier: Apache-2.0
// Any bytes as what a server sends on a connection: each client ends with an answer or a
// reason, keeps to its limits, and shows no control character. The first byte picks the
// client: that of a storage, of a registry, or a feed's download; a second one how large
// the answer may be. A thread is the server, on 127.0.0.1.
#include <arpa/inet.h>
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz_parts.h"

#include "gtfs/feed_kind.h"
#include "registry/wire_http.h"
#include "storage/http.h"

const struct fuzz_budget fuzz_budget = {
    .steps = 30000,
    .steps_a_byte = 300,
    .bytes = 2 << 20,
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

static void check_storage(const char *url, size_t most)
{
    struct http_config config = {.timeout_ms = TIMEOUT_MS};
    struct http *http = http_open(&config);
    struct buf into = {0};
    struct http_request request = {
        .url = url, .fresh = true, .into = most & 1 ? &into : NULL, .into_max = most};
    struct http_answer ret = {0};
    struct err err = {0};
    enum http_outcome outcome = http_send(http, &request, &ret, &err);
    assert(into.n <= most);
    if (outcome == HTTP_FAILED)
        assert(err.text[0] != '\0');
    else
        assert(outcome == HTTP_ANSWERED || ret.why[0] != '\0');
    http_answer_release(&ret);
    buf_release(&into);
    http_close(http);
}

static void check_registry(const char *url, size_t most)
{
    struct wire_http_config config = {.timeout_ms = TIMEOUT_MS};
    struct wire_http *http = wire_http_open(&config);
    struct wire_http_login login = {.user = "me", .password = "s3cret-word"};
    struct buf body = BUF_INIT(most + 1);
    struct err err = {0};
    long code = -1;
    enum status rc =
        wire_http_send(http, url, &login, most & 1 ? "{}" : NULL, &code, &body, &err);
    assert(body.n <= most + 1);
    assert(rc == ST_OK ? code >= 0 : err.text[0] != '\0');
    assert(strstr(err.text, "s3cret-word") == NULL);
    buf_release(&body);
    wire_http_close(http);
}

static void check_download(const char *url, size_t most)
{
    struct feed_options options = {.download_bytes = (int64_t)most + 1,
                                   .download_ms = TIMEOUT_MS};
    struct err err = {0};
    int fd = -1;
    enum status rc = feed_download(url, "the feed", &options, &fd, &err);
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
