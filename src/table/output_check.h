// SPDX-License-Identifier: Apache-2.0
// Whether a value may stand in a column of the result, a record's rows in the row buffer,
// and the reason why not.
#ifndef TABLE_OUTPUT_CHECK_H
#define TABLE_OUTPUT_CHECK_H

#include "sql/plan.h"

enum output_fault {
    OUTPUT_FITS,
    OUTPUT_NULL,  // NULL in a NOT NULL column
    OUTPUT_RANGE, // a number that is not a 32-bit INT, or not a finite REAL
    OUTPUT_TYPE,  // a value of another type
};

enum output_fault output_check(const struct column *column, struct value value);

// Whether a value that may stand in `from` may always stand in `to`.
bool output_always_fits(const struct column *to, const struct column *from);

// "column 'n' is NULL, not INT NOT NULL", as sqlite_host.h says it.
void output_why(const struct column *column, enum output_fault fault, struct buf *reason);

// ST_LIMIT for a record whose rows do not fit alone; `row` is the stream's.
enum status output_too_big(const struct plan *plan, const struct value *row,
                           size_t n_rows, size_t limit_bytes, struct err *err);

#endif
