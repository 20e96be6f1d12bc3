// SPDX-License-Identifier: Apache-2.0
// Rows as lines of CSV: RFC 4180 with LF, canonical values.
//
// NULL is an empty field, the empty string is "". Other quotes stand only where RFC 4180
// needs them (comma, quote, CR, LF), and around a first field that begins with a byte
// order mark. BYTES are \x and hex digits (as PostgreSQL's bytea); they do not read back.
// A NULL in a table of one column is an empty line, as in PostgreSQL's COPY; the readers
// of this folder give it back. A text of white space is quoted there: such lines are
// none. One thread at a time.
#ifndef CSV_ROW_FORMAT_H
#define CSV_ROW_FORMAT_H

#include "core/row_format.h"

// `schema` is borrowed for the format's life.
struct row_format *csv_row_format_open(const struct schema *schema);
// Appends the line of column names.
void csv_put_names(struct row_format *row_format, struct buf *ret);

#endif
