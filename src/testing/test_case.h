// SPDX-License-Identifier: Apache-2.0
// A test of a pipeline as it is written: rows of the stream and of tables, the rows and
// rejects that are expected, the time that now() tells. docs/testing-pipelines.md.
//
// A test is one file, NAME.test, or a folder with expect.csv or reject.csv. Nothing here
// knows the script: names and types are looked at by test_rows.h. Texts live in the
// test's arena. One thread. Errors are ST_USAGE and begin with file:line:column.
#ifndef TESTING_TEST_CASE_H
#define TESTING_TEST_CASE_H

#include "base/arena.h"
#include "base/status.h"
#include "sql/plan.h"

enum {
    TEST_ROWS_MAX = 10000,    // of a block
    TEST_COLUMNS_MAX = 2000,  // of a block
    TEST_BLOCKS_MAX = 200,    // of a test
    TEST_SETTINGS_MAX = 1000, // of a test
};

struct test_cell {
    struct str text; // without quotes, and blanks around it
    bool quoted;
    size_t line, column; // where it begins, from 1
};

struct test_row {
    struct test_cell *cells; // one for each column of the block
    size_t line;
};

enum test_kind {
    TEST_TABLE,  // rows of a table, or records of the stream by columns
    TEST_RAW,    // records of the stream, a line each, as they are: one cell
    TEST_EXPECT, // rows of the result, or of a view
    TEST_REJECT, // records that give no row, with reasons
};

struct test_block {
    enum test_kind kind;
    struct str name; // of the table or view; n == 0: the result's, or rejects
    const char *file;
    size_t line, column;       // of its heading; of a file of its own: 1
    struct test_cell *columns; // names
    size_t n_columns;
    struct test_row *rows;
    size_t n_rows, rows_capacity;
};

struct test_case {
    struct arena arena;
    const char *name;           // for people, and to select it by
    const char *path;           // of its file or folder
    int64_t now_ms;             // what now() tells
    bool is_ordered;            // the order of expected rows matters
    struct variable *variables; // of the script
    size_t n_variables, variables_capacity;
    struct test_block *blocks;
    size_t n_blocks, blocks_capacity;
};

// Reads the test at `path`, a file or a folder. On failure it is to be released too.
enum status test_case_read(const char *path, const char *name, struct test_case *ret,
                           struct err *err);
void test_case_release(struct test_case *test);

// Whether there is a test at the path: NAME.test, or a folder with rows that are
// expected.
bool test_case_is_at(const char *path);

// ST_USAGE with the place of a block, or of a cell, in front.
enum status test_wrong_block(const struct test_block *block, struct err *err,
                             const char *fmt, ...) PRINTF_LIKE(3, 4);
enum status test_wrong_cell(const struct test_block *block, const struct test_cell *cell,
                            struct err *err, const char *fmt, ...) PRINTF_LIKE(4, 5);

#endif
