// SPDX-License-Identifier: Apache-2.0
// Decompression of record batches: gzip, snappy, lz4 frames, zstd (Kafka protocol guide,
// "Record Batch", attributes bits 0 to 2; zstd: KIP-110).
//
// Snappy comes as one raw block, or in the frame of Java's snappy-java ("xerial": 0x82
// "SNAPPY" 0x00, two versions, then blocks of which each has its length, big-endian).
// A size that the bytes announce is checked against the room that is left, and against
// what the codec can make of so few bytes, before memory is taken; where they announce
// none, room grows with what really comes, of zstd from what came of such bytes before.
// One thread at a time a struct.
#ifndef WIRE_DECOMPRESS_H
#define WIRE_DECOMPRESS_H

#include "base/buf.h"

enum wire_codec { // as in the attributes
    WIRE_NONE,
    WIRE_GZIP,
    WIRE_SNAPPY,
    WIRE_LZ4,
    WIRE_ZSTD,
};

const char *wire_codec_name(unsigned codec); // NULL: none of them

// Zero is valid; what a library keeps is made at its first use.
struct wire_decompressor {
    void *gzip, *lz4, *zstd;
    size_t zstd_ratio; // plain bytes of one, as of the last; 0: none yet
};

void wire_decompressor_release(struct wire_decompressor *d);
// Appends the plain bytes, never past the buffer's limit: ST_LIMIT. ST_DATA: they are not
// of that codec. The text begins with the codec's name.
enum status wire_decompress(struct wire_decompressor *d, enum wire_codec codec,
                            struct str bytes, struct buf *ret, struct err *err);

#endif
