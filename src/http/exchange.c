// SPDX-License-Identifier: Apache-2.0
#include "http/exchange.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

enum {
    LOOK_MS = 250,
    PIECE_BYTES = 64 << 10, // of an answer
    SEND_BYTES = 4 << 20    // between two looks
};

// Goes on until something has to be waited for or is at its end.
enum step {
    STEP_GOES_ON,
    STEP_ENDS // *ret says how
};

static enum step ends(enum exchange_end *ret, enum exchange_end end)
{
    *ret = end;
    return STEP_ENDS;
}

static enum step failed(struct exchange *x, enum exchange_end *ret, enum exchange_end end)
{
    x->number = errno;
    return ends(ret, end);
}

static enum step wait(struct exchange *x, short events, enum exchange_end *ret)
{
    struct pollfd fd = {.fd = x->socket, .events = events};
    poll(&fd, 1, LOOK_MS);
    return x->go_on(x->context) ? STEP_GOES_ON : ends(ret, EXCHANGE_STOPPED);
}

// Receiving.

static struct str rest_of(const struct exchange *x)
{
    return (struct str){x->in.p + x->at, x->in.n - x->at};
}

// Receives some bytes more, waiting for them.
static enum step fill(struct exchange *x, enum exchange_end *ret)
{
    buf_remove_front(&x->in, x->at);
    x->at = 0;
    char *room = buf_room(&x->in, PIECE_BYTES);
    if (room == NULL)
        return ends(ret, EXCHANGE_LONG_LINE);
    for (;;) {
        ssize_t n = recv(x->socket, room, PIECE_BYTES, MSG_DONTWAIT);
        if (n == 0)
            return ends(ret, EXCHANGE_CLOSED);
        if (n > 0) {
            x->in.n += (size_t)n;
            return x->go_on(x->context) ? STEP_GOES_ON : ends(ret, EXCHANGE_STOPPED);
        }
        if (errno != EAGAIN && errno != EINTR)
            return failed(x, ret, EXCHANGE_RECEIVE);
        if (wait(x, POLLIN, ret) != STEP_GOES_ON)
            return STEP_ENDS;
    }
}

// The next line with its end; it is borrowed until the next call.
static enum step next_line(struct exchange *x, struct str *line, enum exchange_end *ret)
{
    for (;;) {
        struct str rest = rest_of(x);
        const char *end = rest.n ? memchr(rest.p, '\n', rest.n) : NULL;
        size_t n = end != NULL ? (size_t)(end - rest.p) + 1 : rest.n;
        if (n > EXCHANGE_LINE_MAX)
            return ends(ret, EXCHANGE_LONG_LINE);
        if (end != NULL) {
            *line = (struct str){rest.p, n};
            x->at += n;
            return STEP_GOES_ON;
        }
        if (fill(x, ret) != STEP_GOES_ON)
            return STEP_ENDS;
    }
}

// Whether what is there may yet be an HTTP/1 answer.
static bool may_be_http(const struct exchange *x)
{
    static const char begin[] = "HTTP/1.";
    struct str rest = rest_of(x);
    size_t n = rest.n < sizeof(begin) - 1 ? rest.n : sizeof(begin) - 1;
    return n == 0 || memcmp(rest.p, begin, n) == 0;
}

// Takes up to n bytes of a body that are there, or come.
static enum step take_some(struct exchange *x, int64_t n, int64_t *ret_n,
                           enum exchange_end *ret)
{
    if (x->at == x->in.n && fill(x, ret) != STEP_GOES_ON)
        return STEP_ENDS;
    struct str piece = rest_of(x);
    if ((int64_t)piece.n > n)
        piece.n = (size_t)n;
    x->at += piece.n;
    x->n_received += (int64_t)piece.n;
    *ret_n = (int64_t)piece.n;
    return x->body(x->context, piece) ? STEP_GOES_ON : ends(ret, EXCHANGE_STOPPED);
}

static enum step take_bytes(struct exchange *x, int64_t n, enum exchange_end *ret)
{
    int64_t taken;
    for (; n > 0; n -= taken)
        if (take_some(x, n, &taken, ret) != STEP_GOES_ON)
            return STEP_ENDS;
    return STEP_GOES_ON;
}

// The answer's head.

// "HTTP/1.1 201 Created": 201; 0: it is no such line.
static int code_of(struct str line)
{
    int code = 0;
    if (line.n < 12 || !str_starts_with(line, "HTTP/1.") || line.p[8] != ' ')
        return 0;
    for (size_t i = 9; i < 12; i++) {
        if (line.p[i] < '0' || line.p[i] > '9')
            return 0;
        code = 10 * code + (line.p[i] - '0');
    }
    return code;
}

static void note(struct exchange *x, struct str line)
{
    struct str value = line;
    struct str name = str_cut(&value, ':');
    if (value.p == NULL)
        return;
    if (str_eq_nocase(name, STR_LITERAL("Content-Length")) &&
        !str_to_i64(str_trim(value), &x->length))
        x->length = -1;
    else if (str_eq_nocase(name, STR_LITERAL("Transfer-Encoding")))
        x->is_chunked = str_eq_nocase(str_trim(value), STR_LITERAL("chunked"));
}

static enum step take_head(struct exchange *x, enum exchange_end *ret)
{
    struct str line;
    x->length = -1;
    x->is_chunked = false;
    if (x->at == x->in.n && fill(x, ret) != STEP_GOES_ON)
        return STEP_ENDS;
    if (!may_be_http(x))
        return ends(ret, EXCHANGE_NOT_HTTP);
    if (next_line(x, &line, ret) != STEP_GOES_ON)
        return STEP_ENDS;
    x->code = code_of(line);
    if (x->code == 0)
        return ends(ret, EXCHANGE_NOT_HTTP);
    while (x->line(x->context, line)) {
        if (str_trim(line).n == 0)
            return STEP_GOES_ON;
        note(x, line);
        if (next_line(x, &line, ret) != STEP_GOES_ON)
            return STEP_ENDS;
    }
    return ends(ret, EXCHANGE_STOPPED);
}

// The size of a chunk; -1: the line says none.
static int64_t chunk_bytes(struct str line)
{
    int64_t n = 0;
    size_t i = 0;
    line = str_trim(line);
    for (; i < line.n && i < 12; i++) {
        char c = (char)(line.p[i] | 0x20);
        if (c >= '0' && c <= '9')
            n = 16 * n + (c - '0');
        else if (c >= 'a' && c <= 'f')
            n = 16 * n + (c - 'a' + 10);
        else
            break;
    }
    return i == 0 ? -1 : n;
}

static enum step take_chunks(struct exchange *x, enum exchange_end *ret)
{
    struct str line;
    for (;;) {
        if (next_line(x, &line, ret) != STEP_GOES_ON)
            return STEP_ENDS;
        int64_t n = chunk_bytes(line);
        if (n < 0)
            return ends(ret, EXCHANGE_NOT_HTTP);
        if (take_bytes(x, n, ret) != STEP_GOES_ON ||
            next_line(x, &line, ret) != STEP_GOES_ON)
            return STEP_ENDS;
        if (n == 0) // what stands behind is of no interest: the connection is not kept
            return ends(ret, EXCHANGE_DONE);
    }
}

static enum step take_body(struct exchange *x, enum exchange_end *ret)
{
    if (x->code == 204 || x->code == 304)
        return ends(ret, EXCHANGE_DONE);
    if (x->is_chunked)
        return take_chunks(x, ret);
    if (take_bytes(x, x->length >= 0 ? x->length : INT64_MAX, ret) != STEP_GOES_ON) {
        bool is_end = *ret == EXCHANGE_CLOSED && x->length < 0;
        return is_end ? ends(ret, EXCHANGE_DONE) : STEP_ENDS;
    }
    return ends(ret, EXCHANGE_DONE);
}

// The answer that counts: behind those that only say "continue".
static enum step take_answer(struct exchange *x, enum exchange_end *ret)
{
    while (!x->has_head) {
        if (take_head(x, ret) != STEP_GOES_ON)
            return STEP_ENDS;
        x->has_head = x->code / 100 != 1;
    }
    return take_body(x, ret);
}

// Sending.

// What is said before all was sent. "Continue" is nothing, and behind a yes all is sent
// that was promised; a no is the answer.
static enum step listen_early(struct exchange *x, enum exchange_end *ret)
{
    char byte;
    ssize_t n = recv(x->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n < 0)
        return STEP_GOES_ON;
    if (n == 0)
        return ends(ret, EXCHANGE_CLOSED);
    if (take_head(x, ret) != STEP_GOES_ON)
        return STEP_ENDS;
    x->has_head = x->code / 100 != 1;
    return x->code < 300 ? STEP_GOES_ON : take_body(x, ret);
}

// A server that has ended the connection may have said why before.
static enum step not_sent(struct exchange *x, enum exchange_end *ret)
{
    int number = errno;
    if ((number == EPIPE || number == ECONNRESET) && take_answer(x, ret) == STEP_ENDS &&
        *ret == EXCHANGE_DONE)
        return STEP_ENDS;
    x->number = number;
    return ends(ret, EXCHANGE_SEND);
}

static enum step sent(struct exchange *x, ssize_t n, enum exchange_end *ret)
{
    if (n >= 0)
        return x->go_on(x->context) ? STEP_GOES_ON : ends(ret, EXCHANGE_STOPPED);
    if (errno == EINTR)
        return STEP_GOES_ON;
    if (errno != EAGAIN)
        return not_sent(x, ret);
    const short events = x->has_head ? POLLOUT : POLLIN | POLLOUT;
    if (wait(x, events, ret) != STEP_GOES_ON)
        return STEP_ENDS;
    return x->has_head ? STEP_GOES_ON : listen_early(x, ret);
}

static enum step send_head(struct exchange *x, enum exchange_end *ret)
{
    enum step step = STEP_GOES_ON;
    const int more = x->file_bytes > 0 ? MSG_MORE : 0;
    while (step == STEP_GOES_ON && x->n_head_sent < x->head.n) {
        ssize_t n = send(x->socket, x->head.p + x->n_head_sent,
                         x->head.n - x->n_head_sent, MSG_DONTWAIT | MSG_NOSIGNAL | more);
        x->n_head_sent += n > 0 ? (size_t)n : 0;
        step = sent(x, n, ret);
    }
    return step;
}

static enum step send_body(struct exchange *x, enum exchange_end *ret)
{
    enum step step = STEP_GOES_ON;
    while (step == STEP_GOES_ON && x->n_sent < x->file_bytes) {
        int64_t left = x->file_bytes - x->n_sent;
        off_t at = (off_t)x->n_sent;
        ssize_t n = sendfile(x->socket, x->file, &at,
                             left < SEND_BYTES ? (size_t)left : SEND_BYTES);
        if (n == 0)
            return ends(ret, EXCHANGE_SHORT);
        x->n_sent += n > 0 ? n : 0;
        step = sent(x, n, ret);
    }
    return step;
}

// sendfile() knows no MSG_NOSIGNAL.
static void keep_pipe_signal(sigset_t *before)
{
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, before);
}

static void drop_pipe_signal(const sigset_t *before)
{
    const struct timespec now = {0};
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    if (!sigismember(before, SIGPIPE))
        (void)sigtimedwait(&pipe, NULL, &now);
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

enum exchange_end exchange_run(struct exchange *x)
{
    enum exchange_end end = EXCHANGE_CLOSED;
    sigset_t before;
    x->in = BUF_INIT(2 * EXCHANGE_LINE_MAX + PIECE_BYTES);
    keep_pipe_signal(&before);
    if (send_head(x, &end) == STEP_GOES_ON && send_body(x, &end) == STEP_GOES_ON)
        (void)take_answer(x, &end);
    drop_pipe_signal(&before);
    buf_release(&x->in);
    return end;
}
