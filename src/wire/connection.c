// SPDX-License-Identifier: Apache-2.0
#include "wire/connection.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/connection_parts.h"
#include "wire/login.h"

enum {
    FIRST_PAUSE_MS = 100,
    LAST_PAUSE_MS = 3000,
    REQUEST_BYTES_MAX = 4 << 20,
    HTTP = 0x48545450, // "HTTP", read as the size of an answer
    TLS_ALERT = 0x15,  // the first byte of one (RFC 8446, 5.1)
    KEPT_OUT_BYTES = 64 << 10,
    FIRST_BYTES_MAX = 1 << 20, // of an answer before the connection is ready
};

#define SEE_OPTIONS \
    "; see the options kafka.security.protocol, kafka.ssl.* and kafka.sasl.*"

void wire_connection_init(struct wire_connection *c, const struct wire_client *client,
                          struct str host, int32_t port)
{
    *c = (struct wire_connection){
        .client = client,
        .host = mem_strndup(host.p, host.n),
        .port = port,
        .fd = -1,
        .out = BUF_INIT(REQUEST_BYTES_MAX),
    };
}

static void drop(struct wire_connection *c)
{
    wire_tls_free(c->tls);
    c->tls = NULL;
    wire_login_free(c->login);
    c->login = NULL;
    c->renew_at_ms = 0;
    c->is_ending = false;
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    wire_host_leave(c->look_up);
    c->look_up = NULL;
    if (c->found != NULL)
        freeaddrinfo(c->found);
    c->found = c->address = NULL;
    c->state = WIRE_CLOSED;
    c->n_calls = c->n_sent = c->n_size = 0;
    c->is_admitted = c->is_whole = false;
    buf_clear(&c->out);
    buf_trim(&c->out, KEPT_OUT_BYTES);
    buf_release(&c->body);
}

void wire_connection_release(struct wire_connection *c)
{
    drop(c);
    buf_release(&c->out);
    free(c->host);
    *c = (struct wire_connection){.fd = -1};
}

void wire_connection_fail(struct wire_connection *c, const char *problem, int64_t now_ms)
{
    int64_t pause_ms = FIRST_PAUSE_MS;
    for (int i = 0; i < c->n_failures && pause_ms < LAST_PAUSE_MS; i++)
        pause_ms *= 2;
    drop(c);
    c->n_failures++;
    c->again_at_ms = now_ms + (pause_ms < LAST_PAUSE_MS ? pause_ms : LAST_PAUSE_MS);
    bool is_v6 = strchr(c->host, ':') != NULL;
    snprintf(c->problem, sizeof(c->problem), "%s%s%s:%" PRId32 ": %s", is_v6 ? "[" : "",
             c->host, is_v6 ? "]" : "", c->port, problem);
}

void wire_connection_refuse(struct wire_connection *c, const char *problem,
                            int64_t now_ms)
{
    wire_connection_fail(c, problem, now_ms);
    c->is_refused = true;
}

static void fail_errno(struct wire_connection *c, int number, int64_t now_ms)
{
    wire_connection_fail(c, strerror(number), now_ms);
}

// ---- sending and receiving

static const char *end_problem(const struct wire_connection *c)
{
    if (c->is_proven)
        return "the broker ended the connection";
    switch (c->state) {
    case WIRE_SECURING:
        return "the connection was ended in TLS's handshake" SEE_OPTIONS;
    case WIRE_LOGGING_IN:
        return "the connection was ended in the login" SEE_OPTIONS;
    default:
        return "the connection was ended before anything was answered" SEE_OPTIONS;
    }
}

// The other side has ended the connection.
static void end(struct wire_connection *c, int64_t now_ms)
{
    // An idle one may be ended by the broker: no failure.
    bool is_idle = c->is_proven && c->n_calls == 0 && c->state == WIRE_READY;
    int64_t soon_ms = now_ms + FIRST_PAUSE_MS;
    if (is_idle)
        drop(c);
    else
        wire_connection_fail(c, end_problem(c), now_ms);
    c->again_at_ms = soon_ms > c->again_at_ms ? soon_ms : c->again_at_ms;
}

static void fail_tls(struct wire_connection *c, int64_t now_ms)
{
    char problem[WIRE_TLS_PROBLEM_TEXT];
    bool is_refused = wire_tls_is_refused(c->tls);
    snprintf(problem, sizeof(problem), "%s", wire_tls_problem(c->tls));
    wire_connection_fail(c, problem, now_ms);
    c->is_refused = is_refused;
}

bool wire_connection_take_tls(struct wire_connection *c, enum wire_tls_result result,
                              int64_t now_ms)
{
    if (result == WIRE_TLS_END)
        end(c, now_ms);
    else if (result == WIRE_TLS_FAILED)
        fail_tls(c, now_ms);
    return result == WIRE_TLS_DONE;
}

static bool send_some(struct wire_connection *c, const char *p, size_t n, size_t *ret_n,
                      int64_t now_ms)
{
    if (c->tls != NULL)
        return wire_connection_take_tls(c, wire_tls_send(c->tls, p, n, ret_n), now_ms);
    ssize_t sent = send(c->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN)
        fail_errno(c, errno, now_ms);
    *ret_n = sent > 0 ? (size_t)sent : 0;
    return sent >= 0;
}

static void send_out(struct wire_connection *c, int64_t now_ms)
{
    while (c->n_sent < c->out.n) {
        size_t n;
        if (!send_some(c, c->out.p + c->n_sent, c->out.n - c->n_sent, &n, now_ms))
            return;
        c->n_sent += n;
    }
    if (c->state == WIRE_LOGGING_IN && c->out.n > 0) // a password may stand there
        explicit_bzero(c->out.p, c->out.n);
    buf_clear(&c->out);
    c->n_sent = 0;
}

static bool receive_some(struct wire_connection *c, char *p, size_t n, size_t *ret_n,
                         int64_t now_ms)
{
    if (c->tls != NULL)
        return wire_connection_take_tls(c, wire_tls_receive(c->tls, p, n, ret_n), now_ms);
    ssize_t got = recv(c->fd, p, n, MSG_DONTWAIT);
    if (got < 0 && errno != EAGAIN)
        fail_errno(c, errno, now_ms);
    else if (got == 0)
        end(c, now_ms);
    *ret_n = got > 0 ? (size_t)got : 0;
    return got > 0;
}

// Bytes that are there; false: none, or the connection has failed.
static bool receive(struct wire_connection *c, void *to, size_t *n, size_t all,
                    int64_t now_ms)
{
    size_t got;
    if (!receive_some(c, (char *)to + *n, all - *n, &got, now_ms))
        return false;
    *n += got;
    if (c->n_calls > 0 && c->state == WIRE_READY)
        c->deadline_ms = now_ms + c->client->timeout_ms;
    return true;
}

static const char *size_problem(const struct wire_connection *c, int32_t size)
{
    if (size == HTTP)
        return "an HTTP server answers there; give the port of a Kafka broker";
    if (c->size[0] == TLS_ALERT && c->tls == NULL)
        return "TLS is wanted there" SEE_OPTIONS;
    return "the size of its answer is not right";
}

static bool is_fetch(enum wire_api api)
{
    return api == WIRE_FETCH || api == WIRE_FETCH_BY_ID;
}

static bool admit(struct wire_connection *c, int64_t room_bytes, int64_t now_ms)
{
    struct wire_in in = wire_in_of((struct str){(const char *)c->size, sizeof(c->size)});
    int32_t size = wire_in_i32(&in);
    if (size == HTTP || (c->size[0] == TLS_ALERT && c->tls == NULL)) {
        wire_connection_refuse(c, size_problem(c, size), now_ms);
        return false;
    }
    bool is_first = c->state != WIRE_READY && size > FIRST_BYTES_MAX;
    if (size < WIRE_SIZE_BYTES || c->n_calls == 0 || is_first) {
        wire_connection_fail(c, size_problem(c, size), now_ms);
        return false;
    }
    c->body_bytes = (size_t)size;
    if (size > c->client->most_bytes) {
        c->over_bytes = is_fetch(c->calls[0].api) ? size : 0;
        wire_connection_fail(c, size_problem(c, size), now_ms);
        return false;
    }
    if (c->body_bytes > c->body.capacity) {
        if (size > room_bytes + (int64_t)c->body.capacity)
            return false;
        buf_release(&c->body);
        c->body.limit = c->body_bytes;
    }
    buf_clear(&c->body);
    buf_room(&c->body, c->body_bytes);
    c->is_admitted = true;
    return true;
}

static void receive_body(struct wire_connection *c, int64_t now_ms)
{
    while (c->body.n < c->body_bytes)
        if (!receive(c, c->body.p, &c->body.n, c->body_bytes, now_ms))
            return;
    c->is_whole = true;
}

static void receive_all(struct wire_connection *c, int64_t now_ms, int64_t room_bytes)
{
    while (c->n_size < sizeof(c->size))
        if (!receive(c, c->size, &c->n_size, sizeof(c->size), now_ms))
            return;
    if (c->is_admitted || admit(c, room_bytes, now_ms))
        receive_body(c, now_ms);
}

// ---- calls and answers

int16_t wire_connection_version(const struct wire_connection *c, enum wire_api api)
{
    return c->versions.of[api];
}

bool wire_connection_can_call(const struct wire_connection *c)
{
    return c->state == WIRE_READY && !c->is_ending && c->n_calls < WIRE_CALLS_MAX;
}

bool wire_connection_is_calling(const struct wire_connection *c, enum wire_api api,
                                int32_t tag)
{
    for (size_t i = 0; i < c->n_calls; i++)
        if (c->calls[i].api == api && c->calls[i].tag == tag)
            return true;
    return false;
}

struct buf *wire_call_begin(struct wire_connection *c, enum wire_api api, int32_t tag,
                            size_t *ret_begin)
{
    struct wire_call *call = &c->calls[c->n_calls];
    *call = (struct wire_call){
        .api = api,
        .version = c->versions.of[api],
        .correlation = c->correlation++ & INT32_MAX,
        .tag = tag,
    };
    *ret_begin = c->out.n;
    wire_request_begin(&c->out, api, call->version, call->correlation, c->client->id);
    return &c->out;
}

void wire_call_end(struct wire_connection *c, size_t begin, int64_t wait_ms,
                   int64_t now_ms)
{
    wire_request_end(&c->out, begin);
    c->calls[c->n_calls].wait_ms = wait_ms;
    if (c->n_calls++ == 0 && c->state == WIRE_READY)
        c->deadline_ms = now_ms + wait_ms + c->client->timeout_ms;
    send_out(c, now_ms);
}

void wire_connection_end_call(struct wire_connection *c, int64_t now_ms)
{
    c->n_calls--;
    memmove(&c->calls[0], &c->calls[1], c->n_calls * sizeof(c->calls[0]));
    if (c->state == WIRE_READY)
        c->deadline_ms = now_ms + c->calls[0].wait_ms + c->client->timeout_ms;
    c->n_size = 0;
    c->is_admitted = c->is_whole = false;
}

enum status wire_connection_begin_answer(struct wire_connection *c, struct str *body,
                                         struct err *err)
{
    int32_t correlation;
    *body = buf_as_str(&c->body);
    TRY(wire_response_begin(body, c->calls[0].api, c->calls[0].version, &correlation,
                            err));
    if (correlation != c->calls[0].correlation)
        return err_set(err, ST_DATA, "its answer is to another request");
    return ST_OK;
}

// KIP-368: the broker would end the connection at the next request.
static void renew(struct wire_connection *c, int64_t now_ms)
{
    c->is_ending = c->renew_at_ms > 0 && now_ms >= c->renew_at_ms;
    if (!c->is_ending || c->n_calls > 0)
        return;
    drop(c);
    c->again_at_ms = now_ms;
}

bool wire_answer(struct wire_connection *c, struct wire_call *ret, struct str *ret_body,
                 int64_t now_ms)
{
    struct err err;
    if (!c->is_whole)
        return false;
    if (wire_connection_begin_answer(c, ret_body, &err) != ST_OK) {
        wire_connection_fail(c, err.text, now_ms);
        return false;
    }
    *ret = c->calls[0];
    c->is_proven = true;
    return true;
}

void wire_answer_end(struct wire_connection *c, struct buf *kept, int64_t now_ms)
{
    if (kept != NULL) {
        struct buf other = *kept;
        *kept = c->body;
        c->body = other;
    }
    c->n_failures = 0;
    wire_connection_end_call(c, now_ms);
}

// ---- the owner's turn

static bool is_overdue(const struct wire_connection *c, int64_t now_ms)
{
    bool waits = c->state != WIRE_READY || c->n_calls > 0;
    bool is_ours = c->is_whole || (c->n_size == sizeof(c->size) && !c->is_admitted);
    return c->state != WIRE_CLOSED && waits && !is_ours && now_ms >= c->deadline_ms;
}

static void work(struct wire_connection *c, int64_t now_ms, int64_t room_bytes)
{
    if (c->state < WIRE_GREETING)
        wire_connection_reach(c, now_ms);
    if (c->state >= WIRE_GREETING)
        send_out(c, now_ms);
    if (c->state >= WIRE_GREETING && !c->is_whole)
        receive_all(c, now_ms, room_bytes);
    if (c->state == WIRE_GREETING || c->state == WIRE_LOGGING_IN)
        wire_connection_introduce(c, now_ms);
    if (c->state == WIRE_READY)
        renew(c, now_ms);
}

// What an answer was waited for.
static const char *step_of(const struct wire_connection *c)
{
    if (c->state == WIRE_SECURING)
        return "TLS's handshake: ";
    if (c->state != WIRE_LOGGING_IN)
        return "";
    if (c->n_calls > 0)
        return "SASL: ";
    return wire_security_mechanism(c->client->security) == WIRE_GSSAPI
               ? "Kerberos's key distribution centre: "
               : "the token's command: ";
}

void wire_connection_work(struct wire_connection *c, int64_t now_ms, int64_t room_bytes)
{
    work(c, now_ms, room_bytes);
    if (!is_overdue(c, now_ms))
        return;
    char text[96];
    snprintf(text, sizeof(text), "%sno answer within %d ms", step_of(c),
             c->client->timeout_ms);
    wire_connection_fail(c, text, now_ms);
}

// A token's command or a ticket, while nothing else can be done.
static struct pollfd wait_for_first(const struct wire_connection *c,
                                    int64_t *ret_until_ms)
{
    if (c->deadline_ms < *ret_until_ms)
        *ret_until_ms = c->deadline_ms;
    int fd = wire_login_fd(c->login, ret_until_ms);
    return (struct pollfd){.fd = fd, .events = POLLIN};
}

struct pollfd wire_connection_wait(const struct wire_connection *c, int64_t *ret_until_ms)
{
    struct pollfd fd = {.fd = c->fd};
    if (c->state == WIRE_LOGGING_IN && c->n_calls == 0)
        return wait_for_first(c, ret_until_ms);
    bool is_stuck = c->is_whole || (c->n_size == sizeof(c->size) && !c->is_admitted);
    if (c->state == WIRE_CONNECTING || wire_tls_wants_write(c->tls) ||
        c->n_sent < c->out.n)
        fd.events |= POLLOUT;
    if (c->state >= WIRE_SECURING && !is_stuck)
        fd.events |= POLLIN;
    if (wire_tls_has_bytes(c->tls) && !is_stuck)
        *ret_until_ms = 0;
    bool waits = c->state != WIRE_CLOSED && (c->state != WIRE_READY || c->n_calls > 0);
    if (waits && !is_stuck && c->deadline_ms < *ret_until_ms)
        *ret_until_ms = c->deadline_ms;
    if (c->state == WIRE_CONNECTING && c->address->ai_next != NULL &&
        c->address_until_ms < *ret_until_ms)
        *ret_until_ms = c->address_until_ms;
    if (fd.events == 0)
        fd.fd = -1;
    return fd;
}
