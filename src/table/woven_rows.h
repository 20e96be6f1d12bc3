// SPDX-License-Identifier: Apache-2.0
// All columns of a query over tables as rows: as values by query_rows.h, and as bytes by
// weave.h, where that can be. One thread.
#ifndef TABLE_WOVEN_ROWS_H
#define TABLE_WOVEN_ROWS_H

#include "table/query_rows.h"

// `store` and `query` are borrowed for the life of rows. What the sources of joins have
// wrong is told by the first next. Errors as query_rows_open's.
enum status woven_rows_open(struct table_store *store, const struct table_query *query,
                            struct rows **ret, struct err *err);

#endif
