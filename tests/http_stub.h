// SPDX-License-Identifier: Apache-2.0
// A web server for tests on 127.0.0.1: one thread, one request at a time, answers by
// path.
#ifndef TESTS_HTTP_STUB_H
#define TESTS_HTTP_STUB_H

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"

struct http_answer {
    const char *path;
    const char *head; // status line and headers without the final empty line
    struct str body;  // sent as it is; Content-Length is the head's
    int wait_ms;      // before anything is sent
};

struct http_stub {
    const struct http_answer *answers; // ended by a NULL path
    int fd;
    int port;
    pthread_t thread;
    char request[2048]; // the last one
};

static inline void http_stub_send(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        p += sent;
        n -= (size_t)sent;
    }
}

static inline void http_stub_answer(struct http_stub *stub, int fd)
{
    ssize_t n = recv(fd, stub->request, sizeof(stub->request) - 1, 0);
    stub->request[n > 0 ? n : 0] = '\0';
    struct str rest = str_of(stub->request);
    str_cut(&rest, ' ');
    struct str path = str_cut(&rest, ' ');
    for (const struct http_answer *answer = stub->answers; answer->path; answer++) {
        if (!str_is(path, answer->path))
            continue;
        usleep((useconds_t)answer->wait_ms * 1000);
        http_stub_send(fd, answer->head, strlen(answer->head));
        http_stub_send(fd, "\r\nConnection: close\r\n\r\n", 23);
        http_stub_send(fd, answer->body.p, answer->body.n);
        return;
    }
    static const char none[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    http_stub_send(fd, none, sizeof(none) - 1);
}

static inline void *http_stub_run(void *context)
{
    struct http_stub *stub = context;
    int fd;
    while ((fd = accept(stub->fd, NULL, NULL)) >= 0) {
        http_stub_answer(stub, fd);
        close(fd);
    }
    return NULL;
}

static inline void http_stub_start(struct http_stub *stub,
                                   const struct http_answer *answers)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    *stub = (struct http_stub){.answers = answers};
    stub->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(stub->fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(stub->fd, 16), 0);
    assert_int_equal(getsockname(stub->fd, (struct sockaddr *)&address, &size), 0);
    stub->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&stub->thread, NULL, http_stub_run, stub), 0);
}

static inline void http_stub_stop(struct http_stub *stub)
{
    shutdown(stub->fd, SHUT_RDWR); // ends accept
    pthread_join(stub->thread, NULL);
    close(stub->fd);
}

#endif
