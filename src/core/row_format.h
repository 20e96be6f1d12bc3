// SPDX-License-Identifier: Apache-2.0
// Port: the bytes of a row, of one schema.
//
// A row is made of its columns in order, so that pieces of a row may be made beforehand
// (a dimension's columns) and put together by copying bytes: fields(c0..ck), then
// fields(ck+1..cn), then end_row. Pure: no I/O. One thread at a time.
#ifndef CORE_ROW_FORMAT_H
#define CORE_ROW_FORMAT_H

#include "core/batch.h"

struct row_format;

struct row_format_ops {
    // Appends columns [first, first + n) of a row. `values[0]` is column `first`. The
    // bytes depend on the arguments alone, those of end_row on nothing: they may be kept.
    void (*fields)(struct row_format *row_format, size_t first,
                   const struct value *values, size_t n, struct buf *row);
    void (*end_row)(struct row_format *row_format, struct buf *row);
    void (*close)(struct row_format *row_format);
};

struct row_format {
    const struct row_format_ops *ops;
    const struct schema *schema; // borrowed for the format's life
    // != 0: a row is its fields with this between them, so that bytes of a record that
    // has them so may be copied into it (`raws` of core/batch.h).
    char separator;
    // Why a value that fields() was given since the last end_row has no form in the
    // file's schema ("column 'day': '2026-13-01' is not a date"); empty when all have
    // one. The maker of the row drops it and clears this. Borrowed until the next call
    // of fields().
    struct str refused;
};

#endif
