// SPDX-License-Identifier: Apache-2.0
// What the files of a connection (connection.h) share: connection_open.c takes it from a
// host's name to one that is ready for calls, by TLS, ApiVersions and SASL; connection.c
// has the bytes, the calls with their answers, and how it ends.
#ifndef WIRE_CONNECTION_PARTS_H
#define WIRE_CONNECTION_PARTS_H

#include "wire/connection.h"

// ---- connection.c

// It is gone, and may be opened again only after a pause. `problem`: without host and
// port.
void wire_connection_fail(struct wire_connection *c, const char *problem, int64_t now_ms);
// The same, where the next try would end so, too.
void wire_connection_refuse(struct wire_connection *c, const char *problem,
                            int64_t now_ms);
// Whether that is done: else the descriptor is waited for, or the connection is gone.
bool wire_connection_take_tls(struct wire_connection *c, enum wire_tls_result result,
                              int64_t now_ms);
// The answer that is whole, behind its header. ST_DATA: it is not that of the oldest
// call.
enum status wire_connection_begin_answer(struct wire_connection *c, struct str *body,
                                         struct err *err);
// The oldest call is answered: the next answer may take as long as it likes from now on.
void wire_connection_end_call(struct wire_connection *c, int64_t now_ms);

// ---- connection_open.c

// Look-up, connect, TLS's handshake: what is due. Ends with the call of ApiVersions.
void wire_connection_reach(struct wire_connection *c, int64_t now_ms);
// ApiVersions and SASL: takes what was answered, sends what is next. Ends ready.
void wire_connection_introduce(struct wire_connection *c, int64_t now_ms);

#endif
