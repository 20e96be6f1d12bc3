// SPDX-License-Identifier: Apache-2.0
// Rows of staged tables that the records of a test reach.
#ifndef TESTING_TEST_REACH_H
#define TESTING_TEST_REACH_H

#include "job/pipeline.h"
#include "testing/test_case.h"

// How rows are chosen: a table is reached from the stream, or from tables that are, by
// columns of one name, by any of whose values a row is taken.
enum test_reach {
    REACH_IDS,   // by texts whose names end with _id
    REACH_TEXTS, // by all texts
    REACH_ALL,   // whole tables
    N_REACHES
};

// Adds a block for each table. ST_LIMIT: one has more rows than a test may have.
enum status test_reach_tables(const struct pipeline *pipeline, enum test_reach how,
                              struct test_case *test, struct err *err);

// A block of these columns without rows.
struct test_block test_new_block(enum test_kind kind, const struct table *table,
                                 struct arena *arena);
// Adds a row of values. False: there are as many as a test may have.
bool test_add_values(struct test_block *block, const struct value *values,
                     struct arena *arena);

#endif
