// SPDX-License-Identifier: Apache-2.0
// An HTTP server that answers from a script, for clients under test.
//
// Each request that comes takes the next step. The server runs in a thread of its own, on
// a free port of 127.0.0.1; what it saw is read after fake_http_stop. Wrong use and a
// request past the script's end fail the test there. Answers may drip, never end, or be
// followed by silence.
#ifndef TESTS_FAKE_HTTP_H
#define TESTS_FAKE_HTTP_H

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"

enum {
    FAKE_REQUESTS_MAX = 16,
    FAKE_LINE_MAX = 512,
    FAKE_CONNECTIONS_MAX = 16,
    FAKE_HEAD_MAX = 8192
};

struct fake_step {
    const char *answer;          // raw; NULL: the connection is closed without one
    size_t n;                    // its bytes; 0: up to its NUL
    const char *again;           // sent behind it until the client goes; NULL: nothing
    int again_ms;                // before each
    int delay_ms;                // before the answer or the closing
    void (*meanwhile)(int port); // is called before it, while the client waits; or NULL
    int body_max;                // reads only so many bytes of the body (0: all)
    bool keep;                   // the connection stays open
    bool is_silent; // nothing follows, but the connection stays until the client goes
};

struct fake_http {
    int fd;
    int port;
    pthread_t thread;
    const struct fake_step *steps;
    size_t n_steps;
    bool repeats; // the last step is taken again, as often as there are requests
    char lines[FAKE_REQUESTS_MAX][FAKE_LINE_MAX]; // "GET /path?query"
    char heads[FAKE_REQUESTS_MAX][FAKE_HEAD_MAX]; // whole, and what came with them
    size_t n_lines;
    size_t n_served;
    size_t n_connections;
    long n_body; // bytes of all bodies
};

static inline int fake_listen(int *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, n), 0);
    assert_int_equal(listen(fd, FAKE_CONNECTIONS_MAX), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &n), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

// A port on which nobody answers.
static inline int fake_dead_port(void)
{
    int port;
    close(fake_listen(&port));
    return port;
}

// Reads up to the empty line; false when the client has gone.
static inline bool fake_read_head(int fd, char *head, size_t *ret_n, char **ret_body)
{
    size_t n = 0;
    while (n < FAKE_HEAD_MAX - 1) {
        ssize_t got = recv(fd, head + n, FAKE_HEAD_MAX - 1 - n, 0);
        if (got <= 0)
            return false;
        n += (size_t)got;
        head[n] = '\0';
        char *end = strstr(head, "\r\n\r\n");
        if (end != NULL) {
            *ret_body = end + 4;
            *ret_n = n;
            return true;
        }
    }
    return false;
}

static inline void fake_read_body(struct fake_http *fake, int fd, long left)
{
    char piece[65536];
    while (left > 0) {
        size_t want = left < (long)sizeof(piece) ? (size_t)left : sizeof(piece);
        ssize_t got = recv(fd, piece, want, 0);
        if (got <= 0)
            return;
        fake->n_body += got;
        left -= got;
    }
}

static inline void fake_note(struct fake_http *fake, const char *head)
{
    const char *end = strstr(head, " HTTP/1.1");
    if (end == NULL || fake->n_lines == FAKE_REQUESTS_MAX)
        return;
    snprintf(fake->heads[fake->n_lines], FAKE_HEAD_MAX, "%s", head);
    snprintf(fake->lines[fake->n_lines++], FAKE_LINE_MAX, "%.*s", (int)(end - head),
             head);
}

// False when the client has gone.
static inline bool fake_send(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        p += sent;
        n -= (size_t)sent;
    }
    return true;
}

static inline void fake_wait_for_the_end(int fd)
{
    char piece[4096];
    while (recv(fd, piece, sizeof(piece), 0) > 0)
        continue;
}

// What a step says; false when the connection is to be closed.
static inline bool fake_answer(int fd, const struct fake_step *step)
{
    if (step->answer == NULL)
        return false;
    bool is_there = fake_send(fd, step->answer, step->n ? step->n : strlen(step->answer));
    while (is_there && step->again != NULL) {
        usleep((useconds_t)step->again_ms * 1000);
        is_there = fake_send(fd, step->again, strlen(step->again));
    }
    if (is_there && step->is_silent)
        fake_wait_for_the_end(fd);
    return is_there && step->keep;
}

// Serves one request; false when the connection is to be closed.
static inline bool fake_serve(struct fake_http *fake, int fd)
{
    static const struct fake_step past = {
        .answer = "HTTP/1.1 418 past the script's end\r\nContent-Length: 0\r\n\r\n"};
    char head[FAKE_HEAD_MAX];
    char *body;
    size_t n;
    if (!fake_read_head(fd, head, &n, &body))
        return false;
    size_t index = fake->n_served++;
    if (fake->repeats && index >= fake->n_steps)
        index = fake->n_steps - 1;
    const struct fake_step *step = index < fake->n_steps ? &fake->steps[index] : &past;
    fake_note(fake, head);
    const char *length = strcasestr(head, "\r\nContent-Length:");
    long left = length ? strtol(length + 17, NULL, 10) : 0;
    if (step->body_max > 0 && step->body_max < left)
        left = step->body_max;
    long here = (long)(head + n - body);
    fake->n_body += here;
    fake_read_body(fake, fd, left - here);
    if (step->meanwhile != NULL)
        step->meanwhile(fake->port);
    usleep((useconds_t)step->delay_ms * 1000);
    return fake_answer(fd, step);
}

static inline void *fake_run(void *context)
{
    struct fake_http *fake = context;
    struct pollfd fds[FAKE_CONNECTIONS_MAX] = {{.fd = fake->fd, .events = POLLIN}};
    nfds_t n = 1;
    while (poll(fds, n, -1) >= 0 && !(fds[0].revents & POLLHUP)) {
        for (nfds_t i = n - 1; i > 0; i--) {
            if (fds[i].revents == 0 || fake_serve(fake, fds[i].fd))
                continue;
            close(fds[i].fd);
            fds[i] = fds[--n];
        }
        if (!(fds[0].revents & POLLIN) || n == FAKE_CONNECTIONS_MAX)
            continue;
        int fd = accept(fake->fd, NULL, NULL);
        if (fd >= 0) {
            fds[n++] = (struct pollfd){.fd = fd, .events = POLLIN};
            fake->n_connections++;
        }
    }
    while (n > 1)
        close(fds[--n].fd);
    return NULL;
}

// Answers that name the port may be written between the two.
static inline void fake_http_open(struct fake_http *fake)
{
    *fake = (struct fake_http){0};
    fake->fd = fake_listen(&fake->port);
}

static inline void fake_http_start(struct fake_http *fake, const struct fake_step *steps,
                                   size_t n_steps)
{
    fake->steps = steps;
    fake->n_steps = n_steps;
    assert_int_equal(pthread_create(&fake->thread, NULL, fake_run, fake), 0);
}

// Just the requests of the script must have come.
static inline void fake_http_stop(struct fake_http *fake)
{
    shutdown(fake->fd, SHUT_RDWR);
    pthread_join(fake->thread, NULL);
    close(fake->fd);
    if (!fake->repeats && fake->n_lines != fake->n_steps) {
        for (size_t i = 0; i < fake->n_lines; i++)
            print_error("request %zu: %s\n", i, fake->lines[i]);
        fail_msg("%zu requests came, %zu were to come", fake->n_lines, fake->n_steps);
    }
}

#endif
