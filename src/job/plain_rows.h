// SPDX-License-Identifier: Apache-2.0
// Rows of the result as values, for whoever looks at them instead of writing a file: an
// row format that is CSV, and what reads that again.
//
// It refuses what the result's own row format would refuse, so that a value without a
// form in an Avro schema is rejected here too. BYTES come back as text, "\x0aff". One
// thread.
#ifndef JOB_PLAIN_ROWS_H
#define JOB_PLAIN_ROWS_H

#include "core/row_format.h"
#include "csv/scanner.h"
#include "sql/plan.h"

// The plan is borrowed for the format's life.
enum status plain_row_format_open(const struct plan *plan, struct row_format **ret,
                                  struct err *err);

struct plain_rows {
    struct arena arena;
    struct schema schema; // of the values
    struct csv_field *fields;
    struct value *values; // of the last row
};

void plain_rows_init(struct plain_rows *rows, const struct schema *schema);
// Cuts the first row off rows of such a format; false: there is none. Values
// borrow from it, and from the arena.
bool plain_rows_next(struct plain_rows *rows, struct str *bytes, struct arena *arena);
void plain_rows_release(struct plain_rows *rows);

#endif
