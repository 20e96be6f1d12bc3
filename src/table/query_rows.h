// SPDX-License-Identifier: Apache-2.0
// Runs a table_query: rows that are joined one source after another by hash tables.
//
// A joined source's rows are kept by key: those of a table as its columns, others as
// columns of their own. What is joined so far passes by in batches, so that however many
// rows a join makes, none of them waits in memory. Values are borrowed until the next
// call. Errors as table_store.h; a row whose value cannot be computed is ST_DATA.
#ifndef TABLE_QUERY_ROWS_H
#define TABLE_QUERY_ROWS_H

#include "table/table_store.h"

// `store` and `query` are borrowed for the life of rows.
enum status query_rows_open(struct table_store *store, const struct table_query *query,
                            struct rows **ret, struct err *err);
// The rows of columns as they are: for each of the schema its place among the columns,
// NULL: all in order.
struct rows *columns_rows_open(const struct columns *columns, const struct schema *schema,
                               const size_t *places);

#endif
