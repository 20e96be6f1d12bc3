// SPDX-License-Identifier: Apache-2.0
// The login of a connection: SaslHandshake names the mechanism, SaslAuthenticate carries
// its messages (sasl.h; Kafka protocol guide, "SASL Authentication Sequence"; KIP-152,
// KIP-368).
//
// Errors: ST_FAIL where the broker refuses us, or is not who it says; ST_RETRY where the
// next try may do better; ST_DATA for an answer that is not right. No text holds a
// secret. Threads: the connection's owner.
#ifndef WIRE_LOGIN_H
#define WIRE_LOGIN_H

#include "wire/connection.h"

struct wire_login;

// host: the broker's.
struct wire_login *wire_login_new(const struct wire_security *security, const char *host);
void wire_login_free(struct wire_login *login);

// Sends what is due, when no answer is waited for.
enum status wire_login_work(struct wire_login *login, struct wire_connection *c,
                            int64_t now_ms, struct err *err);
enum status wire_login_take(struct wire_login *login, const struct wire_call *call,
                            struct str body, struct err *err);
// *ret_lifetime_ms: for so long, from now on; 0: for ever.
bool wire_login_is_done(const struct wire_login *login, int64_t *ret_lifetime_ms);
// Where a token or a ticket comes from; -1: look again at *ret_until_ms, which is
// lowered.
int wire_login_fd(const struct wire_login *login, int64_t *ret_until_ms);

// The broker's answers, as bytes.
enum status wire_handshake_read(struct str body, const char *mechanism, struct err *err);
enum status wire_authenticate_read(struct str body, int16_t version, struct str *ret,
                                   int64_t *ret_lifetime_ms, struct err *err);

#endif
