// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/connection_parts.h"
#include "wire/login.h"

enum {
    RENEWED_AFTER = 80, // % of a login's life
};

// The next address that a connect can be begun to; false: there is none left.
static bool connect_next(struct wire_connection *c, int *number)
{
    for (; c->address != NULL; c->address = c->address->ai_next) {
        const struct addrinfo *a = c->address;
        const int one = 1;
        c->fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (c->fd >= 0) {
            setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
            setsockopt(c->fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
            if (connect(c->fd, a->ai_addr, a->ai_addrlen) == 0 || errno == EINPROGRESS)
                return true;
        }
        *number = errno;
        if (c->fd >= 0)
            close(c->fd);
        c->fd = -1;
    }
    return false;
}

// number: why it is not connected yet.
static void go_on_connecting(struct wire_connection *c, int number, int64_t now_ms)
{
    c->state = WIRE_CONNECTING;
    c->address_until_ms = now_ms + (c->deadline_ms - now_ms) / 2;
    if (!connect_next(c, &number))
        wire_connection_fail(c, strerror(number), now_ms);
}

static void take_look_up(struct wire_connection *c, int64_t now_ms)
{
    int code;
    if (!wire_host_take(c->look_up, &code, &c->found))
        return;
    wire_host_leave(c->look_up);
    c->look_up = NULL;
    if (code != 0) {
        wire_connection_fail(c, gai_strerror(code), now_ms);
        return;
    }
    c->address = c->found;
    go_on_connecting(c, EADDRNOTAVAIL, now_ms);
}

void wire_connection_open(struct wire_connection *c, int64_t now_ms)
{
    if (c->state != WIRE_CLOSED || now_ms < c->again_at_ms)
        return;
    c->state = WIRE_LOOKING_UP;
    c->opened_ms = now_ms;
    c->is_refused = false;
    c->deadline_ms = now_ms + c->client->timeout_ms;
    c->look_up = wire_host_look_up(c->host, c->port, c->client->wake_fd);
    take_look_up(c, now_ms);
}

static void greet(struct wire_connection *c, int64_t now_ms)
{
    size_t begin;
    c->state = WIRE_GREETING;
    for (int api = 0; api < WIRE_APIS; api++)
        c->versions.of[api] = 0; // of ApiVersions, what every broker takes
    wire_call_begin(c, WIRE_API_VERSIONS, WIRE_TAG_OF_OWN, &begin);
    wire_call_end(c, begin, 0, now_ms);
}

static void begin_talk(struct wire_connection *c, int64_t now_ms)
{
    if (!wire_security_has_tls(c->client->security)) {
        greet(c, now_ms);
        return;
    }
    c->tls = wire_tls_new(c->client->security, c->fd, c->host);
    c->state = WIRE_SECURING;
}

static void take_connect(struct wire_connection *c, int64_t now_ms)
{
    struct pollfd fd = {.fd = c->fd, .events = POLLOUT};
    bool is_silent = poll(&fd, 1, 0) == 0;
    if (is_silent && (c->address->ai_next == NULL || now_ms < c->address_until_ms))
        return;
    int number = ETIMEDOUT;
    socklen_t size = sizeof(number);
    if (!is_silent)
        getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &number, &size);
    if (number == 0) {
        begin_talk(c, now_ms);
        return;
    }
    close(c->fd);
    c->fd = -1;
    c->address = c->address->ai_next;
    go_on_connecting(c, number, now_ms);
}

static void take_handshake(struct wire_connection *c, int64_t now_ms)
{
    if (wire_connection_take_tls(c, wire_tls_handshake(c->tls), now_ms))
        greet(c, now_ms);
}

void wire_connection_reach(struct wire_connection *c, int64_t now_ms)
{
    if (c->state == WIRE_LOOKING_UP)
        take_look_up(c, now_ms);
    if (c->state == WIRE_CONNECTING)
        take_connect(c, now_ms);
    if (c->state == WIRE_SECURING)
        take_handshake(c, now_ms);
}

// ---- ApiVersions, SASL

static void take_greeting(struct wire_connection *c, int64_t now_ms)
{
    struct str body;
    struct err err;
    enum status rc = wire_connection_begin_answer(c, &body, &err);
    if (rc == ST_OK)
        rc = wire_versions_read(body, &c->versions, &err);
    if (rc != ST_OK) {
        wire_connection_fail(c, err.text, now_ms);
        return;
    }
    if (c->versions.of[WIRE_METADATA] < 0 || c->versions.of[WIRE_FETCH] < 0) {
        wire_connection_fail(c,
                             "it takes no version of Fetch or Metadata that is known "
                             "here; see client = 'librdkafka'",
                             now_ms);
        return;
    }
    wire_connection_end_call(c, now_ms);
    if (wire_security_mechanism(c->client->security) == WIRE_NO_SASL) {
        c->state = WIRE_READY;
        return;
    }
    c->state = WIRE_LOGGING_IN;
    c->login = wire_login_new(c->client->security, c->host);
}

static void fail_login(struct wire_connection *c, enum status rc, const struct err *err,
                       int64_t now_ms)
{
    if (rc == ST_FAIL)
        wire_connection_refuse(c, err->text, now_ms);
    else
        wire_connection_fail(c, err->text, now_ms);
}

static void take_login(struct wire_connection *c, int64_t now_ms)
{
    struct str body;
    struct err err;
    const struct wire_call call = c->calls[0];
    enum status rc = wire_connection_begin_answer(c, &body, &err);
    if (rc == ST_OK)
        rc = wire_login_take(c->login, &call, body, &err);
    if (rc != ST_OK) {
        fail_login(c, rc, &err, now_ms);
        return;
    }
    wire_connection_end_call(c, now_ms);
}

// What is to be sent next; nothing while an answer or a token is waited for.
static void go_on_logging_in(struct wire_connection *c, int64_t now_ms)
{
    struct err err;
    int64_t lifetime_ms;
    if (wire_login_is_done(c->login, &lifetime_ms)) {
        wire_login_free(c->login);
        c->login = NULL;
        c->state = WIRE_READY;
        c->renew_at_ms = lifetime_ms > 0 ? now_ms + lifetime_ms * RENEWED_AFTER / 100 : 0;
        return;
    }
    enum status rc = c->n_calls == 0 ? wire_login_work(c->login, c, now_ms, &err) : ST_OK;
    if (rc != ST_OK)
        fail_login(c, rc, &err, now_ms);
}

static void work_login(struct wire_connection *c, int64_t now_ms)
{
    if (c->is_whole)
        take_login(c, now_ms);
    if (c->state == WIRE_LOGGING_IN)
        go_on_logging_in(c, now_ms);
}

void wire_connection_introduce(struct wire_connection *c, int64_t now_ms)
{
    if (c->state == WIRE_GREETING && c->is_whole)
        take_greeting(c, now_ms);
    if (c->state == WIRE_LOGGING_IN)
        work_login(c, now_ms);
}
