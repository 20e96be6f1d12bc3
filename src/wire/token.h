// SPDX-License-Identifier: Apache-2.0
// A token for OAUTHBEARER: what a file holds, or a command of the shell prints. It is got
// anew for each connection, since tokens end.
//
// Nothing waits: a command is heard whenever its descriptor is ready, and it and what it
// began end with the wait for it. Its stdin is empty, its stderr is thrown away. Errors:
// ST_RETRY, since the file or the command may be right in a moment; the token is in none
// of the texts. Threads: the connection's owner.
#ifndef WIRE_TOKEN_H
#define WIRE_TOKEN_H

#include "base/buf.h"
#include "wire/security.h"

enum {
    WIRE_TOKEN_BYTES_MAX = 64 << 10
};

struct wire_token;

struct wire_token *wire_token_begin(const struct wire_security *security);
void wire_token_end(struct wire_token *token); // wipes it
// *ret: the token, of which the bytes are the token's; p == NULL: it is not there yet.
enum status wire_token_take(struct wire_token *token, struct str *ret, struct err *err);
// To be waited for until it can be read; -1: look again soon.
int wire_token_fd(const struct wire_token *token);

#endif
