// SPDX-License-Identifier: Apache-2.0
// One SASL conversation, as bytes: what is to be sent, and what the answers mean.
// Mechanisms: security.h. Errors: ST_FAIL, or ST_RETRY where the next try may do better;
// no text holds a secret. Threads: the connection's owner.
#ifndef WIRE_SASL_H
#define WIRE_SASL_H

#include "wire/kerberos.h"
#include "wire/scram.h"
#include "wire/security.h"
#include "wire/token.h"

struct wire_sasl {
    const struct wire_security *security; // borrowed; NULL: nothing was begun
    struct wire_scram scram;
    struct wire_token *token;
    struct wire_kerberos *kerberos;
    int n_sent;
};

void wire_sasl_begin(struct wire_sasl *sasl, const struct wire_security *security,
                     const char *host);
void wire_sasl_end(struct wire_sasl *sasl);

// Appends the first message; false in *ret_is_there: it is not there yet, a token or a
// ticket is waited for.
enum status wire_sasl_first(struct wire_sasl *sasl, struct buf *out, bool *ret_is_there,
                            struct err *err);
// Reads an answer and appends what follows it; true in *ret_is_done: nothing does, and
// the broker is who it says.
enum status wire_sasl_next(struct wire_sasl *sasl, struct str from_server,
                           struct buf *out, bool *ret_is_done, struct err *err);

// To be waited for until it can be read, while the first message is not there; -1: look
// again soon.
int wire_sasl_fd(const struct wire_sasl *sasl);

#endif
