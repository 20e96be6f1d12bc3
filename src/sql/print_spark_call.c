// SPDX-License-Identifier: Apache-2.0
// Functions whose twin in Spark SQL is no plain call.
#include "sql/print_spark.h"

#include "sql/functions.h"

static bool is_named(const struct expr *call, const char *name)
{
    return strcmp(call->function->name, name) == 0;
}

// Spark's lower and upper change letters beyond ASCII.
void spark_print_letters(struct buf *out, const struct expr *call)
{
    static const char large[] = "'ABCDEFGHIJKLMNOPQRSTUVWXYZ'",
                      small[] = "'abcdefghijklmnopqrstuvwxyz'";
    bool is_lower = is_named(call, "lower");
    buf_text(out, "translate(");
    spark_print_expr(out, call->args[0]);
    buf_printf(out, ", %s, %s)", is_lower ? large : small, is_lower ? small : large);
}

// Of less than 0 characters Spark's are empty.
void spark_print_left(struct buf *out, const struct expr *call)
{
    int64_t n = call->args[1]->constant.i;
    buf_text(out, "left(");
    spark_print_expr(out, call->args[0]);
    buf_text(out, ", ");
    if (n < 0) {
        buf_text(out, "char_length(");
        spark_print_expr(out, call->args[0]);
        buf_text(out, ") - ");
    }
    buf_printf(out, "%lld)", (long long)(n < 0 ? -n : n));
}

void spark_print_right(struct buf *out, const struct expr *call)
{
    int64_t n = call->args[1]->constant.i;
    buf_text(out, n < 0 ? "substring(" : "right(");
    spark_print_expr(out, call->args[0]);
    if (n < 0) // the place is an INT: from the last one on nothing is there
        n = n == -INT32_MAX ? INT32_MAX : 1 - n;
    buf_printf(out, ", %lld)", (long long)n);
}

// Spark's trim(a, b) has its arguments the other way round.
void spark_print_trim(struct buf *out, const struct expr *call)
{
    const char *ends = is_named(call, "ltrim")   ? "LEADING "
                       : is_named(call, "rtrim") ? "TRAILING "
                                                 : "BOTH ";
    buf_text(out, "trim(");
    buf_text(out, ends);
    if (call->n_args == 2)
        spark_print_expr(out, call->args[1]);
    else
        buf_text(out, "' '");
    buf_text(out, " FROM ");
    spark_print_expr(out, call->args[0]);
    buf_char(out, ')');
}

// Spark's ceil and floor give BIGINT; from 2^53 on a REAL has no fraction.
void spark_print_whole(struct buf *out, const struct expr *call)
{
    buf_text(out, "(CASE WHEN abs(");
    spark_print_expr(out, call->args[0]);
    buf_printf(out, ") < 9007199254740992 THEN CAST(%s(", call->function->name);
    spark_print_expr(out, call->args[0]);
    buf_text(out, ") AS DOUBLE) ELSE ");
    spark_print_expr(out, call->args[0]);
    buf_text(out, " END)");
}

void spark_print_gtfs_seconds(struct buf *out, const struct expr *call)
{
    static const int seconds[] = {3600, 60, 1};
    buf_text(out, "(CASE WHEN ");
    spark_print_expr(out, call->args[0]);
    spark_print_regexp(out, "\\A[0-9]{1,3}:[0-5][0-9]:[0-5][0-9]\\z");
    buf_text(out, " THEN ");
    for (size_t i = 0; i < ARRAY_LEN(seconds); i++) {
        buf_text(out, i > 0 ? " + try_cast(split_part(" : "try_cast(split_part(");
        spark_print_expr(out, call->args[0]);
        buf_printf(out, ", ':', %zu) AS INT) * %d", i + 1, seconds[i]);
    }
    buf_text(out, " END)");
}

static void print_two_digits(struct buf *out, const struct expr *seconds, int unit)
{
    buf_text(out, ", ':', lpad(CAST(");
    spark_print_expr(out, seconds);
    buf_printf(out, " div %d %% 60 AS STRING), 2, '0')", unit);
}

void spark_print_gtfs_time(struct buf *out, const struct expr *call)
{
    buf_text(out, "(CASE WHEN ");
    spark_print_expr(out, call->args[0]);
    buf_text(out, " >= 0 THEN concat(CASE WHEN ");
    spark_print_expr(out, call->args[0]);
    buf_text(out, " < 36000 THEN '0' ELSE '' END, CAST(");
    spark_print_expr(out, call->args[0]);
    buf_text(out, " div 3600 AS STRING)");
    print_two_digits(out, call->args[0], 60);
    print_two_digits(out, call->args[0], 1);
    buf_text(out, ") END)");
}

void spark_print_now(struct buf *out, const struct expr *call)
{
    (void)call;
    buf_text(out, ":now");
}
