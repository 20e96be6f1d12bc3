// SPDX-License-Identifier: Apache-2.0
// A plan for a person: who reads whom as a tree, the result's columns, the join.
#ifndef CLI_EXPLAIN_TEXT_H
#define CLI_EXPLAIN_TEXT_H

#include "job/tables.h"

// Prints on stdout. `tables` is NULL when they were not read.
void explain_text(const struct pipeline *pipeline, const struct tables *tables);
// The queries as SQLite gets them: views in order, then the INSERT's.
void explain_sql(const struct plan *plan);
// The query over the stream as Spark gets it; the plan has one.
void explain_spark(const struct plan *plan);
// One JSON object.
void explain_json(const struct pipeline *pipeline, const struct tables *tables);

// What gives the rows of a query over tables: "native", "sqlite" or "native and sqlite";
// why the latter, as a sentence (NULL for the first).
const char *explain_build(const struct table_query *query, const char *query_why,
                          const char **ret_why);
// "native" or "sqlite", and why as a sentence without its end.
const char *explain_executor(const struct plan *plan, const char **ret_why);

#endif
