// SPDX-License-Identifier: Apache-2.0
// A record's row in one pass, where the record is what nearly all are: printable ASCII
// without a quote or a line end, as many fields as columns, and numbers of digits alone.
//
// Only commas are looked for, 64 bytes at a time, and a field is a value as soon as its
// comma is found. It stands in the decoder's loop, so that of several records none is a
// call. All of decoding takes 288 instructions for a record of stop_times where it took
// 818 without it, 371 when each record was a call and commas were noted first
// (docs/performance.md). All else is refused, and left to csv_scan and csv_value: its
// plain twin, which tests/unit/test_csv_plain_row.c holds it to. Pure; any thread.
#ifndef CSV_PLAIN_ROW_H
#define CSV_PLAIN_ROW_H

#include "base/byte_mask.h"
#include "base/digits.h"
#include "core/schema.h"
#include "csv/scanner.h"

struct csv_plain_column {
    bool is_skipped, is_text, is_nullable;
    uint8_t n_digits; // of a number, at most
};

struct csv_plain_row {
    struct csv_plain_column *columns;
    size_t n;
};

enum {
    CSV_PLAIN_BYTES_MAX = 64 << 10 // of a record that is worth it
};

// `skips`: columns whose values are left out, as NULL. False: some column has a type that
// is not read here.
bool csv_plain_row_init(struct csv_plain_row *plain, const struct schema *schema,
                        const bool *skips);
void csv_plain_row_release(struct csv_plain_row *plain);

static inline bool csv_plain_field(const struct csv_plain_column *column, const char *p,
                                   size_t n, struct value *ret, bool *canonical)
{
    if (UNLIKELY(column->is_skipped || n == 0)) {
        *ret = (struct value){0};
        return column->is_nullable;
    }
    if (LIKELY(column->is_text)) {
        *ret = value_text((struct str){p, n});
        return true;
    }
    *canonical = *canonical && (p[0] != '0' || n == 1);
    int64_t number;
    if (n > column->n_digits || !digits_read(p, n, &number))
        return false;
    *ret = value_int(number);
    return true;
}

// Fills all values of the row, which borrow the bytes. *ret_canonical: its numbers are
// written as value_format does, so that these bytes are those of the row. False: the
// record is none of these; the row may hold anything.
static inline bool csv_plain_row(const struct csv_plain_row *plain, struct str bytes,
                                 struct value *row, bool *ret_canonical)
{
    const struct csv_plain_column *column = plain->columns;
    const struct csv_plain_column *last = column + plain->n - 1;
    bool is_printable = true;
    const char *field = bytes.p;
    if (UNLIKELY(bytes.n == 0 || bytes.n > CSV_PLAIN_BYTES_MAX))
        return false;
    *ret_canonical = true;
    for (size_t at = 0; at < bytes.n; at += BYTE_MASK_MAX) {
        size_t left = bytes.n - at;
        uint64_t commas =
            byte_mask_one(bytes.p + at, left < BYTE_MASK_MAX ? left : BYTE_MASK_MAX,
                          CSV_SEPARATOR, &is_printable);
        for (; commas != 0; commas &= commas - 1) {
            const char *end = bytes.p + at + __builtin_ctzll(commas);
            if (UNLIKELY(column == last ||
                         !csv_plain_field(column, field, (size_t)(end - field), row,
                                          ret_canonical)))
                return false;
            column++;
            row++;
            field = end + 1;
        }
    }
    return is_printable && column == last &&
           csv_plain_field(column, field, (size_t)(bytes.p + bytes.n - field), row,
                           ret_canonical);
}

#endif
