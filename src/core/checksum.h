// SPDX-License-Identifier: Apache-2.0
// The one file checksum of the project: what HDFS answers to GETFILECHECKSUM.
//
// CRC32C of every 512 bytes, big-endian; MD5 over the words of each block; MD5 over the
// blocks' digests, followed by zeros up to the next power of two, at least 32 bytes (an
// empty file is the MD5 of 32 zero bytes). Blocks are CHECKSUM_BLOCK_BYTES for every file
// we write; for others the block size is a parameter. Seen on HDFS 3.4.2
// (FileChecksumHelper.makeMd5CrcResult takes all of a DataOutputBuffer, which doubles).
#ifndef CORE_CHECKSUM_H
#define CORE_CHECKSUM_H

#include "base/hash.h"

#define CHECKSUM_BLOCK_BYTES (INT64_C(128) << 20)

enum {
    CHECKSUM_HEX = 2 * MD5_BYTES + 1
};

struct checksum {
    char hex[CHECKSUM_HEX]; // NUL-terminated
};

static inline bool checksum_eq(const struct checksum *a, const struct checksum *b)
{
    return memcmp(a->hex, b->hex, CHECKSUM_HEX) == 0;
}

struct checksummer; // a running computation
struct checksummer *checksummer_open(int64_t block_bytes);
void checksummer_add(struct checksummer *sum, const void *p, size_t n_bytes);
// Other bytes stand now where the first ones stood: n_bytes, a multiple of 512, that were
// added and lie in the first block.
void checksummer_overwrite(struct checksummer *sum, const void *p, size_t n_bytes);
void checksummer_finish(struct checksummer *sum,
                        struct checksum *ret); // and starts again
void checksummer_free(struct checksummer *sum);

#endif
