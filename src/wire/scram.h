// SPDX-License-Identifier: Apache-2.0
// SCRAM's messages (RFC 5802, with SHA-256 and SHA-512 by RFC 7677), without channel
// binding. Names and passwords are printable ASCII, for which SASLprep changes nothing.
//
// The server proves that it knows the password, too: its signature is checked. Errors:
// ST_FAIL; no text holds a secret. Threads: none of its own.
#ifndef WIRE_SCRAM_H
#define WIRE_SCRAM_H

#include "base/buf.h"

enum {
    WIRE_SCRAM_HASH_MAX = 64,
    WIRE_SCRAM_NONCE = 32,
    WIRE_SCRAM_ITERATIONS_MIN = 4096, // RFC 7677, and what Kafka takes
    WIRE_SCRAM_ITERATIONS_MAX = 1 << 18,
    WIRE_SCRAM_MESSAGE_MAX = 4096, // bytes of one that the server sends
};

struct wire_scram {
    bool is_512;
    char nonce[WIRE_SCRAM_NONCE + 1]; // ours, printable
    struct buf first;                 // client-first-message-bare
    uint8_t server_signature[WIRE_SCRAM_HASH_MAX];
};

// The nonce is of chance unless it is given.
void wire_scram_init(struct wire_scram *scram, bool is_512, const char *nonce);
void wire_scram_release(struct wire_scram *scram);

// "n,,n=user,r=nonce"
void wire_scram_first(struct wire_scram *scram, struct str user, struct buf *out);
// Answers "r=...,s=...,i=..." by "c=biws,r=...,p=proof".
enum status wire_scram_final(struct wire_scram *scram, struct str password,
                             struct str from_server, struct buf *out, struct err *err);
// Checks "v=signature".
enum status wire_scram_check(const struct wire_scram *scram, struct str from_server,
                             struct err *err);

#endif
