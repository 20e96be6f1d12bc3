// SPDX-License-Identifier: Apache-2.0
// Prints a bound query over the stream as Spark SQL; the one place that knows Spark's
// dialect. What it is given is portable (spark_portable.c). Inside src/sql.
//
// Texts are literals with escapes, so that no setting of Spark's reads them otherwise:
// ${x} would be a variable there.
#ifndef SQL_PRINT_SPARK_H
#define SQL_PRINT_SPARK_H

#include "base/buf.h"
#include "sql/plan.h"
#include "sql/spark_table.h"

// print_spark.c
void spark_print_query(struct buf *out, const struct query *query);
void spark_print_name(struct buf *out, struct str name);
void spark_print_text(struct buf *out, struct str text);    // a literal
void spark_print_regexp(struct buf *out, const char *text); // " RLIKE " and a literal
const char *spark_type(enum type type);

// print_spark_expr.c
void spark_print_expr(struct buf *out, const struct expr *expr);

// print_spark_decode.c: the stream's records as rows of its columns.
void spark_print_decode(struct buf *out, const struct table *stream);

#endif
