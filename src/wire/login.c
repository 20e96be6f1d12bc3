// SPDX-License-Identifier: Apache-2.0
#include "wire/login.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#include "base/text.h"
#include "wire/sasl.h"

enum {
    MESSAGE_MAX = 128 << 10,
    TEXT_MAX = 512,
    LIFETIME_MAX_MS = 1 << 30,
    LOOK_AGAIN_MS = 10, // at a command that prints no more and has not ended
};

struct wire_login {
    const struct wire_security *security; // borrowed
    struct wire_sasl sasl;
    bool is_mechanism_sent, is_first_there, is_done;
    struct buf message; // the next to be sent; empty ones may be, too
    bool is_due;
    int64_t lifetime_ms;
    int64_t looked_ms; // when the token was
};

struct wire_login *wire_login_new(const struct wire_security *security, const char *host)
{
    struct wire_login *login = mem_zalloc(sizeof(*login));
    login->security = security;
    login->message = BUF_INIT(MESSAGE_MAX);
    wire_sasl_begin(&login->sasl, security, host);
    return login;
}

static void wipe(struct buf *message)
{
    if (message->capacity > 0)
        OPENSSL_cleanse(message->p, message->capacity);
    buf_clear(message);
}

void wire_login_free(struct wire_login *login)
{
    if (login == NULL)
        return;
    wire_sasl_end(&login->sasl);
    wipe(&login->message);
    buf_release(&login->message);
    free(login);
}

int wire_login_fd(const struct wire_login *login, int64_t *ret_until_ms)
{
    int fd = wire_sasl_fd(&login->sasl);
    int64_t again_ms = login->looked_ms + LOOK_AGAIN_MS;
    if (fd < 0 && again_ms < *ret_until_ms)
        *ret_until_ms = again_ms;
    return fd;
}

bool wire_login_is_done(const struct wire_login *login, int64_t *ret_lifetime_ms)
{
    *ret_lifetime_ms = login->lifetime_ms;
    return login->is_done;
}

static const char *mechanism_of(const struct wire_login *login)
{
    return wire_mechanism_name(wire_security_mechanism(login->security));
}

// ---- requests

static void send_mechanism(struct wire_login *login, struct wire_connection *c,
                           int64_t now_ms)
{
    size_t begin;
    struct buf *out = wire_call_begin(c, WIRE_SASL_HANDSHAKE, WIRE_TAG_OF_OWN, &begin);
    wire_out_string(out, false, str_of(mechanism_of(login)));
    login->is_mechanism_sent = true;
    wire_call_end(c, begin, 0, now_ms);
}

static void send_message(struct wire_login *login, struct wire_connection *c,
                         int64_t now_ms)
{
    size_t begin;
    struct buf *out = wire_call_begin(c, WIRE_SASL_AUTHENTICATE, WIRE_TAG_OF_OWN, &begin);
    wire_out_i32(out, (int32_t)login->message.n);
    buf_str(out, buf_as_str(&login->message));
    wipe(&login->message);
    login->is_due = false;
    wire_call_end(c, begin, 0, now_ms); // which may end the connection, and this
}

enum status wire_login_work(struct wire_login *login, struct wire_connection *c,
                            int64_t now_ms, struct err *err)
{
    if (wire_connection_version(c, WIRE_SASL_HANDSHAKE) < 0 ||
        wire_connection_version(c, WIRE_SASL_AUTHENTICATE) < 0)
        return err_set(err, ST_FAIL,
                       "the broker is too old for SASL of client = 'native', which wants "
                       "Kafka 1.0; write client = 'librdkafka'");
    login->looked_ms = now_ms;
    if (!login->is_first_there) { // before the broker's time for it runs
        TRY(wire_sasl_first(&login->sasl, &login->message, &login->is_first_there, err));
        login->is_due = login->is_first_there;
    }
    if (!login->is_first_there)
        return ST_OK;
    TRY(buf_check(&login->message, "SASL", err));
    if (!login->is_mechanism_sent)
        send_mechanism(login, c, now_ms);
    else if (login->is_due)
        send_message(login, c, now_ms);
    return ST_OK;
}

// ---- answers

static void put_names(struct wire_in *in, struct buf *out)
{
    for (size_t n = wire_in_array(in, false, 2); n > 0; n--) {
        if (out->n > 0)
            buf_text(out, ", ");
        text_put_visible(out, wire_in_string(in, false));
    }
}

enum status wire_handshake_read(struct str body, const char *mechanism, struct err *err)
{
    AUTO(buf_release) struct buf names = BUF_INIT(TEXT_MAX);
    struct wire_in in = wire_in_of(body);
    int16_t code = wire_in_i16(&in);
    put_names(&in, &names);
    TRY(wire_in_check(&in, "SaslHandshake", err));
    if (code == WIRE_UNSUPPORTED_SASL_MECHANISM)
        return err_set(err, ST_FAIL,
                       "the broker takes no %s, only %s; see kafka.sasl.mechanism",
                       mechanism, buf_cstr(&names));
    if (code == WIRE_ILLEGAL_SASL_STATE)
        return err_set(err, ST_FAIL,
                       "the broker wants no SASL at this port; see "
                       "kafka.security.protocol");
    if (code != WIRE_OK)
        return err_set(err, ST_RETRY, "SaslHandshake: %s", wire_error_name(code).text);
    return ST_OK;
}

static enum status refused(int16_t code, struct str text, struct err *err)
{
    char visible[TEXT_MAX];
    size_t n = text_visible(text, visible, sizeof(visible));
    bool is_final =
        code == WIRE_SASL_AUTHENTICATION_FAILED || code == WIRE_ILLEGAL_SASL_STATE;
    const struct wire_error name = wire_error_name(code);
    return err_set(err, is_final ? ST_FAIL : ST_RETRY,
                   "SASL authentication error: %.*s; see the options "
                   "kafka.security.protocol, kafka.ssl.* and kafka.sasl.*",
                   n > 0 ? (int)n : (int)strlen(name.text), n > 0 ? visible : name.text);
}

enum status wire_authenticate_read(struct str body, int16_t version, struct str *ret,
                                   int64_t *ret_lifetime_ms, struct err *err)
{
    struct wire_in in = wire_in_of(body);
    int16_t code = wire_in_i16(&in);
    struct str text = wire_in_string(&in, false);
    *ret = wire_in_bytes(&in, false);
    int64_t lifetime_ms = version >= 1 ? wire_in_i64(&in) : 0;
    TRY(wire_in_check(&in, "SaslAuthenticate", err));
    if (code != WIRE_OK)
        return refused(code, text, err);
    *ret_lifetime_ms = lifetime_ms < 0                 ? 0
                       : lifetime_ms < LIFETIME_MAX_MS ? lifetime_ms
                                                       : LIFETIME_MAX_MS;
    return ST_OK;
}

enum status wire_login_take(struct wire_login *login, const struct wire_call *call,
                            struct str body, struct err *err)
{
    struct str bytes;
    if (call->api == WIRE_SASL_HANDSHAKE)
        return wire_handshake_read(body, mechanism_of(login), err);
    TRY(wire_authenticate_read(body, call->version, &bytes, &login->lifetime_ms, err));
    TRY(wire_sasl_next(&login->sasl, bytes, &login->message, &login->is_done, err));
    login->is_due = !login->is_done;
    return ST_OK;
}
