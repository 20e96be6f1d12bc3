// SPDX-License-Identifier: Apache-2.0
// The query over the stream as Spark SQL, or where it is not portable.
//
// Spark has the stream's side: decoding, joins, WHERE, expressions, UNION ALL. What is
// over tables alone stays this program's, which hands each relation that the stream meets
// over as rows. Portable is a white list (spark_table.c): an expression that may fail on
// one record would end Spark's job where a dead letter belongs, and one whose value
// differs would change the result in silence; both are refused, with their places.
//
// Both texts are for Spark 3.4 to 4.x with spark.sql.caseSensitive = true; now() is the
// named parameter :now.
#ifndef SQL_SPARK_H
#define SQL_SPARK_H

#include "sql/plan.h"

#define SPARK_RECORDS "^.records" // a relation: SPARK_ROW of any type, value BINARY
#define SPARK_ROW     "^.row"     // names the record: comes with decoded and result rows
#define SPARK_KIND    "^.kind"    // "row", "ignored" or "bad": a dead letter

struct spark_query {
    struct str decode; // a SELECT over SPARK_RECORDS: SPARK_ROW, SPARK_KIND, the columns
    // A SELECT over the stream, a relation of its name that has SPARK_ROW and only
    // records that are rows, and over plan->insert_reads: the result's columns, then
    // SPARK_ROW.
    struct str query;
};

struct query;
struct report;

// Reports what is not portable; else sets plan->spark. `at` is the INSERT's place. Inside
// src/sql.
void spark_make(struct report *report, struct plan *plan, struct query *query, size_t at);

#endif
