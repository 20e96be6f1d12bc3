// SPDX-License-Identifier: Apache-2.0
// Port: the rows of a table or of a query, batch by batch. One thread at a time.
#ifndef CORE_ROWS_H
#define CORE_ROWS_H

#include "core/row_format.h"

struct rows;

struct rows_ops {
    // Clears the batch and fills it with some rows; none at the end. Values are borrowed
    // until the next call.
    enum status (*next)(struct rows *rows, struct batch *batch, struct err *err);
    void (*close)(struct rows *rows);
};

// The same rows as bytes, for one who has not called next.
struct rows_bytes_ops {
    // Appends some rows in the row format's bytes; *ret_n: how many, 0 at the end. The
    // row format is the same one in each call, its schema that of the rows.
    enum status (*next)(struct rows *rows, struct row_format *row_format,
                        struct buf *bytes, size_t *ret_n, struct err *err);
};

struct rows {
    const struct rows_ops *ops;
    const struct schema *schema;        // borrowed for the life of rows
    const struct rows_bytes_ops *bytes; // NULL: they come as values only
};

// For AUTO(rows_auto_close): closes what the variable holds, if it holds something.
static inline void rows_auto_close(struct rows **rows)
{
    if (*rows != NULL)
        (*rows)->ops->close(*rows);
}

enum {
    ROWS_MESSAGES = 20
};

// What the reader of a file has to tell of it.
struct rows_stats {
    size_t n_rows;
    size_t n_short;   // rows with fewer fields than the file's header, or the schema
    size_t n_tails;   // rows with empty fields past those
    size_t n_skipped; // rows left out since they cannot be read
    const char *messages[ROWS_MESSAGES]; // of the first rows left out
    size_t n_messages;
    const char *absent;                // columns that the file lacks, as text; NULL: none
    bool is_empty;                     // neither rows nor a header, where that may be
    const struct padded_texts *padded; // of each column; NULL: nobody counts them
};

#endif
