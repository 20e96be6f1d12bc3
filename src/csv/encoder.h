// SPDX-License-Identifier: Apache-2.0
// Encoder of CSV files: RFC 4180 with LF, canonical values.
//
// NULL is an empty field, the empty string is "". Other quotes stand only where RFC 4180
// needs them (comma, quote, CR, LF), and around a first field that begins with a byte
// order mark. BYTES are \x and hex digits (as PostgreSQL's bytea); they do not read back.
// A NULL in a table of one column is an empty line, as in PostgreSQL's COPY; the readers
// of this folder give it back. A text of white space is quoted there: such lines are
// none. One thread at a time. Errors: ST_LIMIT when `out` is full.
#ifndef CSV_ENCODER_H
#define CSV_ENCODER_H

#include "core/codec.h"

// `schema` is borrowed for the encoder's life. `header`: files begin with the names.
struct encoder *csv_encoder_open(const struct schema *schema, bool header);

#endif
