// SPDX-License-Identifier: Apache-2.0
// A record's row in one pass, where the record is what nearly all are: printable ASCII
// without a quote or a line end, as many fields as columns, and numbers of digits alone.
//
// Only commas are looked for, 64 bytes at a time; a field's form is known as soon as its
// ends are. A record of stop_times takes 270 instructions here; all of decoding takes 368
// where it took 818 (docs/performance.md). All else is refused, and left to csv_scan and
// csv_value: its plain twin, which tests/unit/test_csv_plain_row.c holds it to. Pure; one
// thread for each.
#ifndef CSV_PLAIN_ROW_H
#define CSV_PLAIN_ROW_H

#include "core/schema.h"

struct csv_plain_row {
    struct csv_plain_column *columns;
    size_t n;
    uint32_t *ends; // of the last record's fields
};

// `skips`: columns whose values are left out, as NULL. False: some column has a type that
// is not read here.
bool csv_plain_row_init(struct csv_plain_row *plain, const struct schema *schema,
                        const bool *skips);
void csv_plain_row_release(struct csv_plain_row *plain);

// Fills all values of the row, which borrow the bytes. *ret_canonical: its numbers are
// written as value_format does, so that these bytes are those of the row. False: the
// record is none of these; the row may hold anything.
bool csv_plain_row(const struct csv_plain_row *plain, struct str bytes, struct value *row,
                   bool *ret_canonical);

#endif
