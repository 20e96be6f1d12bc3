// SPDX-License-Identifier: Apache-2.0
// Queries over tables as hash joins that need no SQLite (struct table_query). Inside
// src/sql.
#ifndef SQL_TABLE_QUERY_H
#define SQL_TABLE_QUERY_H

#include "sql/native_maker.h"

// NULL, and why not: SQLite runs it. `schema` has the names and types of its rows.
const struct table_query *table_query_make(struct plan *plan, const struct query *query,
                                           const struct schema *schema,
                                           const char **ret_why);
// The same of some expressions over a FROM, where all conditions are true.
const struct table_query *table_query_of_from(struct plan *plan, const struct from *from,
                                              const struct exprs *columns,
                                              const struct exprs *conditions,
                                              const struct schema *schema,
                                              const char **ret_why);

#endif
