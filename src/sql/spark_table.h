// SPDX-License-Identifier: Apache-2.0
// Operators and functions with their twins in Spark SQL, and why others have none. Inside
// src/sql.
#ifndef SQL_SPARK_TABLE_H
#define SQL_SPARK_TABLE_H

#include "base/buf.h"
#include "sql/ast.h"

struct spark_op {
    const char *name; // as a script has it
    const char *twin; // what stands between arguments, or a function; NULL: see `why`
    const char *why;  // there is none, as a sentence; with a twin NULL
};

struct spark_function {
    const char *name;
    const char *twin; // printed as a call; NULL: by `print`
    void (*print)(struct buf *out, const struct expr *call);
    // What is wrong with this call, as a sentence; NULL: nothing is.
    const char *(*refuses)(const struct expr *call);
};

const struct spark_op *spark_op_of(enum op op);
// Each function of values has one.
const struct spark_function *spark_function_of(const struct expr *call);
// Why such a CAST has no twin, as a sentence; NULL: it has.
const char *spark_refuses_cast(enum type from, enum type to);
// False: it is not a constant.
bool spark_constant_text(const struct expr *expr, struct str *ret);

// print_spark_call.c: twins that are no plain call.
void spark_print_letters(struct buf *out, const struct expr *call);
void spark_print_left(struct buf *out, const struct expr *call);
void spark_print_right(struct buf *out, const struct expr *call);
void spark_print_trim(struct buf *out, const struct expr *call);
void spark_print_whole(struct buf *out, const struct expr *call);
void spark_print_gtfs_seconds(struct buf *out, const struct expr *call);
void spark_print_gtfs_time(struct buf *out, const struct expr *call);
void spark_print_now(struct buf *out, const struct expr *call);

#endif
