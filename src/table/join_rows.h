// SPDX-License-Identifier: Apache-2.0
// One join of a table_query: the rows so far, each with the source's rows of its keys.
#ifndef TABLE_JOIN_ROWS_H
#define TABLE_JOIN_ROWS_H

#include "expr/eval.h"
#include "table/query_rows.h"

// Reads the source and keeps it by key. Takes over `left`, rows of n_left columns, on
// ST_OK only.
enum status join_rows_open(struct table_store *store, const struct table_join *join,
                           struct rows *left, size_t n_left, struct rows **ret,
                           struct err *err);

// query_rows.c
enum status table_source_open(struct table_store *store,
                              const struct table_source *source, struct rows **ret,
                              struct err *err);
// ST_DATA with the first row's error of the block, if there is one.
enum status table_row_error(const struct evaluator *evaluator, struct err *err);

#endif
