// SPDX-License-Identifier: Apache-2.0
// Rows to Avro: container files (Avro 1.11, "Object Container Files"), and single datums
// in the Confluent wire format for a topic.
//
// The schema is made from the columns (nullable ones are unions of null and the type;
// every field carries a field-id, from 1), or imposed: then its fields must be the
// columns in their order, of types that fit (docs/avro.md). One thread at a time.
//
// A TEXT that an imposed schema calls a date, enum, ... may have no such value: see
// encoder.refused in core/codec.h.
#ifndef AVRO_ENCODER_H
#define AVRO_ENCODER_H

#include "core/codec.h"
#include "core/env.h"

enum avro_codec {
    AVRO_CODEC_NULL,
    AVRO_CODEC_DEFLATE, // raw, RFC 1951
    AVRO_CODEC_SNAPPY,  // with a big-endian CRC-32 of the plain bytes
    AVRO_CODEC_ZSTANDARD,
};

// False when there is no such codec.
bool avro_codec_of_name(struct str name, enum avro_codec *ret);

struct avro_schema_options {
    struct str schema;    // JSON of an imposed schema; empty: made from the columns
    struct str name;      // of the record made; required then
    struct str namespace; // may be empty
};

struct avro_pair {
    struct str key, value;
};

struct avro_encoder_options {
    struct avro_schema_options schema;
    enum avro_codec codec;
    // Of a block before compression; 0: 256 kB. Rows that come in pieces of at most so
    // many bytes need not be looked at: that halves the time of a file without a codec.
    size_t block_bytes;
    // More metadata for each file's header, such as tramline.plan; of a key the last
    // pair. A note (core/codec.h) becomes tramline.offsets. Copied.
    const struct avro_pair *metadata;
    size_t n_metadata;
    struct env *env; // gives each file's sync marker; NULL: the system's
};

// Container files. ST_USAGE: a column's name is not an Avro name, or the imposed schema
// does not fit; the text says which and the way out.
enum status avro_encoder_open(const struct schema *columns,
                              const struct avro_encoder_options *options,
                              struct encoder **ret, struct err *err);

struct avro_datum_encoder;

enum status avro_datum_encoder_open(const struct schema *columns,
                                    const struct avro_schema_options *options,
                                    struct avro_datum_encoder **ret, struct err *err);
// The schema as JSON, to be registered; borrowed.
struct str avro_datum_encoder_schema(const struct avro_datum_encoder *encoder);
// Appends a row as a framed datum. ST_DATA: a value has no form in the schema, or NULL
// stands in a column that is NOT NULL; `out` is as it was.
enum status avro_datum_encode(struct avro_datum_encoder *encoder, int32_t schema_id,
                              const struct value *row, struct buf *out, struct err *err);
void avro_datum_encoder_close(struct avro_datum_encoder *encoder);

#endif
