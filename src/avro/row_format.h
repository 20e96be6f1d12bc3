// SPDX-License-Identifier: Apache-2.0
// Rows as Avro datums: an output schema, and for each column what its values become.
//
// The schema is made from the columns (nullable ones are unions of null and the type;
// every field carries a field-id, from 1), or imposed: then its fields must be the
// columns in their order, of types that fit (docs/avro.md). A TEXT that an imposed schema
// calls a date, enum, ... may have no such value: `refused` of core/row_format.h.
#ifndef AVRO_ROW_FORMAT_H
#define AVRO_ROW_FORMAT_H

#include "avro/schema.h"
#include "core/row_format.h"

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

struct avro_schema_options {
    struct str schema;    // JSON of an imposed schema; empty: made from the columns
    struct str name;      // of the record made; required then
    struct str namespace; // may be empty
};

struct avro_row_format {
    struct row_format row_format; // first member
    struct arena arena;
    struct schema columns;
    struct avro_cell *cells; // one a column
    struct avro_schema *schema;
    struct str json; // of the schema, in one line
    struct buf why;  // behind row_format.refused
};

// ST_USAGE: a column's name is not an Avro name, or the imposed schema does not fit; the
// text says which and the way out.
enum status avro_row_format_open(const struct schema *columns,
                                 const struct avro_schema_options *options,
                                 struct avro_row_format **ret, struct err *err);

// Appends a value of the column. False: it has no form in the schema; what was appended
// is of no use, and avro_cell_why says why.
bool avro_cell_put(const struct avro_cell *cell, struct value v, struct buf *out);

// Appends "column 'day': '2026-13-01' is not a date".
void avro_cell_why(const struct avro_row_format *format, size_t column, struct value v,
                   struct buf *ret);

#endif
