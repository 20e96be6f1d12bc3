// SPDX-License-Identifier: Apache-2.0
// Checksums of files: each has its kind, that of the storage that tells it, so that what
// is written for a storage can be compared with what that says of it.
//
// CHECKSUM_HDFS is what HDFS answers to GETFILECHECKSUM: CRC32C of every 512 bytes,
// big-endian; MD5 over the words of each block; MD5 over the blocks' digests, followed by
// zeros up to the next power of two, at least 32 bytes (an empty file is the MD5 of 32
// zero bytes). Blocks are CHECKSUM_BLOCK_BYTES for every file we write; for others the
// block size is a parameter. Seen on HDFS 3.4.2 (FileChecksumHelper.makeMd5CrcResult
// takes all of a DataOutputBuffer, which doubles). CHECKSUM_CRC32C is the CRC32C of all
// bytes, big-endian: what stores of objects tell.
#ifndef CORE_CHECKSUM_H
#define CORE_CHECKSUM_H

#include "base/hash.h"
#include "base/status.h"
#include "base/str.h"

#define CHECKSUM_BLOCK_BYTES (INT64_C(128) << 20)

enum {
    CHECKSUM_HEX = 2 * MD5_BYTES + 1
};

enum checksum_kind {
    CHECKSUM_HDFS, // what has no kind beside it is of this one
    CHECKSUM_CRC32C
};

struct checksum {
    enum checksum_kind kind;
    char hex[CHECKSUM_HEX]; // NUL-terminated
};

const char *checksum_kind_name(enum checksum_kind kind); // "md5md5crc32c", "crc32c"
bool checksum_kind_of(struct str name, enum checksum_kind *ret);
size_t checksum_digits(enum checksum_kind kind); // of its hex

// ST_DATA: they are of two kinds, and comparing them would tell nothing.
enum status checksum_check_kinds(const struct checksum *there,
                                 const struct checksum *wanted, struct err *err);
static inline bool checksum_eq(const struct checksum *a, const struct checksum *b)
{
    return a->kind == b->kind && strcmp(a->hex, b->hex) == 0;
}

struct checksummer; // a running computation
struct checksummer *checksummer_open(enum checksum_kind kind);
struct checksummer *checksummer_open_blocks(enum checksum_kind kind, int64_t block_bytes);
void checksummer_add(struct checksummer *sum, const void *p, size_t n_bytes);
// Other bytes stand now where the first ones stood: n_bytes, a multiple of 512, that were
// added and lie in the first block.
void checksummer_overwrite(struct checksummer *sum, const void *p, size_t n_bytes);
void checksummer_finish(struct checksummer *sum,
                        struct checksum *ret); // and starts again
void checksummer_free(struct checksummer *sum);

#endif
