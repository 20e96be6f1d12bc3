// SPDX-License-Identifier: Apache-2.0
// How columns are written: an output schema, and for each column what its values become.
//
// The schema is made from the columns, or imposed and checked against them. Read-only
// once made; any thread.
#ifndef AVRO_WRITER_H
#define AVRO_WRITER_H

#include "avro/encoder.h"
#include "avro/schema.h"

enum avro_cell_code {
    CELL_LONG,    // INT, BIGINT as int or long
    CELL_INT,     // the same, of 32 bits
    CELL_REAL,    // any number as double
    CELL_FLOAT,   // REAL as float
    CELL_BOOLEAN, //
    CELL_BYTES,   // TEXT, BYTES as string or bytes
    CELL_FIXED,   // BYTES of the fixed's size
    CELL_ENUM,    // TEXT as its symbol's index
    CELL_UUID,    // TEXT of that shape
    CELL_NUMBER,  // TEXT of a date, time or timestamp
    CELL_DECIMAL, // TEXT
    CELL_DURATION // TEXT
};

enum {
    CELL_PREFIX_MAX = 10
};

// How one column's values are written.
struct avro_cell {
    enum avro_cell_code code;
    const struct avro_type *type; // without the union around it
    bool nullable;
    bool in_union;
    uint8_t null_prefix[CELL_PREFIX_MAX]; // the branch of null, of the value
    uint8_t value_prefix[CELL_PREFIX_MAX];
    uint8_t n_null_prefix, n_value_prefix;
};

struct avro_writer {
    struct arena arena;
    struct schema columns;
    struct avro_cell *cells; // one a column
    struct avro_schema *schema;
    struct str json; // of the schema, in one line
};

enum status avro_writer_open(const struct schema *columns,
                             const struct avro_schema_options *options,
                             struct avro_writer **ret, struct err *err);
void avro_writer_free(struct avro_writer *writer);

// Appends a value of the column. False: it has no form in the schema; what was appended
// is of no use, and avro_cell_why says why.
bool avro_cell_put(const struct avro_cell *cell, struct value v, struct buf *out);

// Appends "column 'day': '2026-13-01' is not a date".
void avro_cell_why(const struct avro_writer *writer, size_t column, struct value v,
                   struct buf *ret);

#endif
