// SPDX-License-Identifier: Apache-2.0
// A row that an engine elsewhere gave, as its fields with a NUL behind each; a TEXT
// holds none. A field is a TEXT as it is, a whole number in decimals, true or false. NULL
// is one byte 1, and a TEXT that begins with such a byte has one more in front.
#ifndef WORK_TOLD_ROW_H
#define WORK_TOLD_ROW_H

#include "core/schema.h"
#include "core/value.h"

// How many fields end in this piece of a row: a TEXT may hold an LF, so that a line may
// not be all of it.
size_t told_row_ends(struct str piece);
// Texts are of `text`. ST_DATA: it has other fields than the schema has columns, or a
// value is not of its column's type.
enum status told_row_read(const struct schema *schema, struct str text, struct value *row,
                          struct err *err);

#endif
