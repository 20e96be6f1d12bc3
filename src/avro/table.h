// SPDX-License-Identifier: Apache-2.0
// Rows of an Avro container file in a storage.
//
// The file's own schema is resolved against the columns, as a stream's is. Memory is
// bounded: one block, at most AVRO_BLOCK_MAX bytes on disk and unpacked. Errors name the
// file, the block (from 1) and its byte position; a wrong file is ST_DATA.
#ifndef AVRO_TABLE_H
#define AVRO_TABLE_H

#include "avro/container.h"
#include "core/rows.h"
#include "core/storage.h"

enum {
    AVRO_BLOCK_MAX = 256 << 20,   // bytes, packed and unpacked
    AVRO_UNPACKED_MIN = 16 << 20, // bytes that a block may unpack to, however small it is
    AVRO_RATIO_MAX = 1100,        // of larger blocks: deflate cannot do more
    AVRO_EMPTY_ROWS_MAX = 1000000 // rows of a file that take no bytes
};

struct avro_table_options {
    const struct schema *columns; // NULL: all that the file has (avro_columns_of)
    struct str reader_schema;     // as in avro_decoder_config
    // A row that does not resolve (an enum's symbol, a union's branch, a null): false,
    // ST_DATA; true, it is left out and counted, and the first messages are kept. A file
    // whose bytes are wrong is ST_DATA all the same.
    bool skip_errors;
};

// Reads the header at once. `storage` is borrowed; `path` is copied.
enum status avro_table_open(struct storage *storage, struct str path,
                            const struct avro_table_options *options, struct rows **ret,
                            struct err *err);

// Of rows that avro_table_open gave; up to date after each next, valid until close.
const struct rows_stats *avro_table_stats(const struct rows *rows);

// The columns that a schema has in SQL: fields of records within as "a.b"; arrays, maps,
// unions of several types and records within themselves are left out.
enum status avro_columns_of(struct str schema_json, struct arena *arena,
                            struct schema *ret, struct err *err);

#endif
