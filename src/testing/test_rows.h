// SPDX-License-Identifier: Apache-2.0
// What a test gives, by the script's names and types: tables as rows, the stream as
// records, and values as the text that is compared.
//
// Records of a stream in CSV are bytes that its own decoder reads, so that what it
// refuses is refused; of one in Avro, values. Errors as in test_case.h. One thread.
#ifndef TESTING_TEST_ROWS_H
#define TESTING_TEST_ROWS_H

#include "core/rows.h"
#include "testing/test_case.h"

// Whether all names of the test are the script's.
enum status test_rows_check(const struct test_case *test, const struct plan *plan,
                            struct err *err);

// Rows of a table; none where the test says nothing of it. Borrows test and table.
enum status test_rows_open(const struct test_case *test, const struct table *table,
                           struct rows **ret, struct err *err);

struct test_record {
    struct str bytes;           // of a stream in CSV
    const struct value *values; // of one in Avro, of each of its columns
    const struct test_row *row; // of the block below
    const struct test_block *block;
};

struct test_records {
    struct test_record *items;
    size_t n;
};
// In the arena; they borrow the test.
enum status test_records_make(const struct test_case *test, const struct table *stream,
                              struct arena *arena, struct test_records *ret,
                              struct err *err);

const struct test_block *test_find_block(const struct test_case *test,
                                         enum test_kind kind, struct str name);

// The columns of a result as they can be written in a test: BYTES as text "\x0aff".
struct schema test_shown_schema(const struct schema *schema, struct arena *arena);
// A cell as a value of the column; ST_USAGE when it is none.
enum status test_cell_value(const struct test_block *block, const struct test_cell *cell,
                            const struct column *column, struct arena *arena,
                            struct value *ret, struct err *err);
// A value as it is written in a test: NULL is empty, quotes stand where they are needed.
struct str test_value_text(struct value value, struct arena *arena);
// A text as such a cell.
void test_put_cell(struct str text, struct buf *ret);

#endif
