// SPDX-License-Identifier: Apache-2.0
// What of a script Spark SQL cannot do as this program does it. Inside src/sql.
#ifndef SQL_SPARK_PORTABLE_H
#define SQL_SPARK_PORTABLE_H

#include "sql/plan.h"
#include "sql/report.h"

struct query;

// Reports each thing at its place; `at` is that of the INSERT.
void spark_check_portable(struct report *report, const struct plan *plan,
                          struct query *query, size_t at);

#endif
