// SPDX-License-Identifier: Apache-2.0
// What was expected beside what came: differences, and how they are shown.
//
// Rows are compared by the columns that the test names, as a bag unless it says
// `order = kept`. Missing and unexpected rows that are alike stand together. One thread.
#ifndef TESTING_TEST_COMPARE_H
#define TESTING_TEST_COMPARE_H

#include "testing/test_run.h"

enum {
    TEST_SHOWN_MAX = 20 // differing rows that are shown of a block
};

// A row that is missing or unexpected.
struct test_line {
    size_t line;             // of the expected row, or of the record; 0: of none
    const struct str *cells; // of each column of the difference
    bool is_expected;        // missing; else unexpected
    bool is_pair;            // this unexpected row stands for the missing one before it
};

// What one block, or one executor beside the other, comes to.
struct test_difference {
    struct str title; // "expect", "expect VIEW", "reject", "executors"
    const char *file; // of the block
    size_t line;
    const struct str *columns;
    size_t n_columns;
    struct test_line *lines; // all of them
    size_t n_lines, n_same, n_missing, n_unexpected;
};

struct test_differences {
    struct arena arena;
    struct test_difference *items;
    size_t n, capacity;
};
void test_differences_release(struct test_differences *differences);

// Rows below [expect] or [expect VIEW] beside those that came, of these columns. Adds
// nothing when they are the same. ST_USAGE: a cell that is not a value of its column.
enum status test_compare_rows(const struct test_case *test,
                              const struct test_block *block, const struct schema *schema,
                              const struct test_output *output,
                              struct test_differences *ret, struct err *err);
// Records below [reject] beside those that came; NULL: none is expected.
void test_compare_rejects(const struct test_case *test, const struct test_block *block,
                          const struct test_records *records,
                          const struct test_output *output, struct test_differences *ret);
// The native executor's rows and rejects beside the sqlite executor's.
void test_compare_executors(const struct test_case *test, const struct schema *schema,
                            const struct test_output *native,
                            const struct test_output *sqlite,
                            struct test_differences *ret);

// As lines of text, with colours or without.
void test_differences_show(const struct test_differences *differences, bool colour,
                           struct buf *ret);

#endif
