// SPDX-License-Identifier: Apache-2.0
// Runs a test: tables in memory, the query over its records one by one, without a file
// or a server. One thread.
//
// Errors: ST_USAGE of what the test gives, ST_DATA of the tables, and those of executors.
#ifndef TESTING_TEST_RUN_H
#define TESTING_TEST_RUN_H

#include "testing/test_rows.h"

enum {
    TEST_OUTPUT_MAX = 100000, // rows that a test may give
};

struct test_output_row {
    const struct str *cells;          // as test_value_text has them
    const struct test_record *record; // whence; NULL: of a view
};

struct test_reject {
    struct str reason;
    const struct test_record *record;
};

// What came of it. In its arena; borrows the records.
struct test_output {
    struct arena arena;
    struct test_output_row *rows;
    size_t n_rows, rows_capacity;
    struct test_reject *rejects;
    size_t n_rejects, rejects_capacity;
};

// The INSERT over the records, by one of the executors.
enum status test_run_insert(const struct test_case *test, const struct plan *plan,
                            const struct test_records *records, bool native,
                            struct test_output *ret, struct err *err);
enum status test_run_view(const struct test_case *test, const struct plan *plan,
                          const struct view *view, struct test_output *ret,
                          struct err *err);
void test_output_release(struct test_output *output);

#endif
