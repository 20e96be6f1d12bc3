// SPDX-License-Identifier: Apache-2.0
// Hashes: fast ones for tables, and digests (by libcrypto) as hex text.
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/str.h"

// 64-bit hash for tables in memory. The value differs between processes: never store it,
// and let nothing that is written or said depend on it.
uint64_t hash64(const void *p, size_t n_bytes);

// Secret numbers of this process, so that nobody can choose keys that meet in one place.
// Once, before any hash is taken and any thread begun; without it (tests, the simulator)
// values are the same in each run.
enum {
    HASH_SECRET_BYTES = 16
};
void hash64_seed(const uint8_t secret[HASH_SECRET_BYTES]);

enum {
    MD5_BYTES = 16,
    SHA256_HEX = 65
};

// SHA-256 in lower-case hex with a final NUL.
void sha256_hex(const void *p, size_t n_bytes, char ret[SHA256_HEX]);

struct md5; // an open MD5 computation
struct md5 *md5_open(void);
void md5_add(struct md5 *md5, const void *p, size_t n_bytes);
// Writes the digest and starts a new one.
void md5_finish(struct md5 *md5, uint8_t ret[MD5_BYTES]);
void md5_free(struct md5 *md5);

// 2 * n hex digits and a NUL.
void hex_encode(const uint8_t *p, size_t n_bytes, char *ret);

#endif
