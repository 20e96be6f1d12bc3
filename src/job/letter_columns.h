// SPDX-License-Identifier: Apache-2.0
// The columns of dead letters, as today's script reads their bytes: to be shown, and to
// choose letters by.
//
// What waits for a schema is given up after LETTER_PATIENCE_MS. One thread.
#ifndef JOB_LETTER_COLUMNS_H
#define JOB_LETTER_COLUMNS_H

#include "core/partial.h"
#include "job/stream.h"
#include "log/dead_book.h"

enum {
    LETTER_PATIENCE_MS = 5000
};

struct letter_columns {
    const struct table *stream;
    struct stream_parts parts;
};

// By stream_open_decoder. To be closed also when it fails.
enum status letter_columns_open(struct pipeline *pipeline, struct letter_columns *ret,
                                struct err *err);
void letter_columns_close(struct letter_columns *columns);
// As far as they can be read. ST_RETRY: the registry does not answer.
enum status letter_columns_read(struct letter_columns *columns,
                                const struct dead_record *letter, struct arena *arena,
                                struct partial_record *ret, struct err *err);

// Letters of which a column can be read and is, as text, `value`; NULL is an empty text.
struct letter_test {
    struct letter_columns columns;
    size_t column;
    struct str value;
};

// Adds the test to the filter, which borrows it. ST_USAGE: the stream has no such column.
enum status letter_test_open(struct pipeline *pipeline, struct str column,
                             struct str value, struct letter_test *ret,
                             struct dead_filter *filter, struct err *err);

#endif
