// SPDX-License-Identifier: Apache-2.0
// Rows kept as values: a row format that is no file's.
//
// For what is kept as the bytes of rows and must be read back: a dimension whose values
// expressions are over, a file that is written column by column. Each value is its kind,
// then a number's 8 bytes or a text's length and bytes.
#ifndef CORE_VALUE_ROW_H
#define CORE_VALUE_ROW_H

#include "core/row_format.h"

// `schema` is borrowed for the format's life; nothing needs to be closed.
void value_row_format_init(struct row_format *row_format, const struct schema *schema);

// Reads n values of a row: ret[places[i]]; gives where the next one begins. Text borrows
// `bytes`.
const char *value_decode(const char *bytes, const size_t *places, size_t n,
                         struct value *ret);

#endif
