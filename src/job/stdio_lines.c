// SPDX-License-Identifier: Apache-2.0
#include "job/stdio_lines.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "core/env.h"
#include "job/stop.h"

enum {
    READ_BYTES = 64 << 10
};

static int64_t now_ms(void)
{
    struct env *env = env_system();
    return env->ops->monotonic_ms(env);
}

// Whether `fd` is ready by then; after a signal, whether it is so at once.
static bool wait_for(int fd, short events, int64_t until_ms)
{
    struct pollfd fds[] = {{.fd = fd, .events = events},
                           {.fd = stop_fd(), .events = POLLIN}};
    for (;;) {
        bool is_asked = stop_is_asked();
        int64_t left_ms = is_asked ? 0 : until_ms - now_ms();
        int n = poll(fds, is_asked ? 1 : 2, left_ms > 0 ? (int)left_ms : 0);
        if (n > 0 && fds[0].revents != 0)
            return true;
        if (n == 0 || (n < 0 && errno != EINTR))
            return false;
    }
}

// A line that is there, or the rest at the end.
static bool take_line(struct stdio_lines *stdio, struct str *ret,
                      enum line_event *ret_event)
{
    struct str there = {stdio->in.p, stdio->in.n};
    const char *end = there.n ? memchr(there.p, '\n', there.n) : NULL;
    if (end == NULL && (!stdio->has_end || there.n == 0))
        return false;
    size_t n = end != NULL ? (size_t)(end - there.p) : there.n;
    *ret = (struct str){there.p, n};
    *ret_event = end != NULL ? LINE_READ : LINE_LAST;
    stdio->used = end != NULL ? n + 1 : n;
    return true;
}

static void drop_used(struct stdio_lines *stdio)
{
    size_t left = stdio->in.n - stdio->used;
    if (stdio->used > 0 && left > 0)
        memmove(stdio->in.p, stdio->in.p + stdio->used, left);
    stdio->in.n = left;
    stdio->used = 0;
}

static enum status read_more(struct stdio_lines *stdio, struct err *err)
{
    char *room = buf_room(&stdio->in, READ_BYTES);
    ssize_t n = read(STDIN_FILENO, room, READ_BYTES);
    if (n < 0 && errno != EINTR && errno != EAGAIN)
        return err_set(err, ST_FAIL, "cannot read standard input: %s", strerror(errno));
    stdio->has_end = n == 0;
    stdio->in.n += n > 0 ? (size_t)n : 0;
    return ST_OK;
}

static enum status receive(struct lines *base, int64_t timeout_ms, enum line_event *ret,
                           struct str *ret_line, struct err *err)
{
    struct stdio_lines *stdio = (struct stdio_lines *)base;
    int64_t until_ms = now_ms() + timeout_ms;
    drop_used(stdio);
    while (!take_line(stdio, ret_line, ret)) {
        if (stdio->in.n > stdio->line_max)
            return err_set(err, ST_DATA,
                           "standard input: a line is longer than %zu bytes",
                           stdio->line_max);
        *ret = stdio->has_end ? LINE_END : LINE_NONE;
        if (stdio->has_end || !wait_for(STDIN_FILENO, POLLIN, until_ms))
            return ST_OK;
        TRY(read_more(stdio, err));
    }
    return ST_OK;
}

// Pieces that a pipe which can be written to takes at once.
static enum status send(struct lines *base, struct str text, struct err *err)
{
    int64_t send_ms = ((struct stdio_lines *)base)->send_ms;
    int64_t until_ms = now_ms() + send_ms;
    while (text.n > 0) {
        if (!wait_for(STDOUT_FILENO, POLLOUT, until_ms))
            return stop_is_asked()
                       ? ST_STOP
                       : err_set(err, ST_FAIL,
                                 "nobody has read standard output for %" PRId64 " s",
                                 send_ms / 1000);
        ssize_t n = write(STDOUT_FILENO, text.p, text.n < PIPE_BUF ? text.n : PIPE_BUF);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return err_set(err, ST_FAIL, "cannot write to standard output: %s",
                           strerror(errno));
        text.p += n > 0 ? n : 0;
        text.n -= n > 0 ? (size_t)n : 0;
    }
    return ST_OK;
}

static const struct lines_ops stdio_ops = {.receive = receive, .send = send};

void stdio_lines_open(struct stdio_lines *lines, size_t line_max, int64_t send_ms)
{
    signal(SIGPIPE, SIG_IGN); // nobody reads any more: send() says so
    *lines = (struct stdio_lines){
        .lines = {&stdio_ops}, .line_max = line_max, .send_ms = send_ms};
}

void stdio_lines_close(struct stdio_lines *lines)
{
    buf_release(&lines->in);
}
