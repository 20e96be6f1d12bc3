// SPDX-License-Identifier: Apache-2.0
// Compression of container blocks: null, deflate (raw), snappy with CRC-32, zstandard
// (Avro 1.11, "Required Codecs", "Optional Codecs"). One thread at a time a struct.
#ifndef AVRO_COMPRESS_H
#define AVRO_COMPRESS_H

#include "base/buf.h"

enum avro_codec {
    AVRO_CODEC_NULL,
    AVRO_CODEC_DEFLATE, // raw, RFC 1951
    AVRO_CODEC_SNAPPY,  // with a big-endian CRC-32 of the plain bytes
    AVRO_CODEC_ZSTANDARD,
};

const char *avro_codec_name(enum avro_codec codec);
// False when there is no such codec.
bool avro_codec_of_name(struct str name, enum avro_codec *ret);

// Keeps what a codec's library wants kept from one block to the next.
struct avro_compressor {
    enum avro_codec codec;
    void *state;
};

void avro_compressor_init(struct avro_compressor *c, enum avro_codec codec);
void avro_compressor_release(struct avro_compressor *c);
// Appends the block's compressed bytes.
enum status avro_compress(struct avro_compressor *c, struct str plain, struct buf *ret,
                          struct err *err);

struct avro_decompressor {
    enum avro_codec codec;
    void *state;
};

void avro_decompressor_init(struct avro_decompressor *d, enum avro_codec codec);
void avro_decompressor_release(struct avro_decompressor *d);
// Appends the block's plain bytes, never past the buffer's limit (ST_LIMIT). ST_DATA:
// they are no such block.
enum status avro_decompress(struct avro_decompressor *d, struct str bytes,
                            struct buf *ret, struct err *err);

#endif
