// SPDX-License-Identifier: Apache-2.0
#include "sql/spark_table.h"

#include <assert.h>

#include "sql/functions.h"

#define FAILS "it may fail on a record, which would end Spark's job"

static const struct spark_op ops[] = {
    [OP_ADD] = {"+", NULL, FAILS},
    [OP_SUB] = {"-", NULL, FAILS},
    [OP_MUL] = {"*", NULL, FAILS},
    [OP_DIV] = {"/", NULL, FAILS},
    [OP_MOD] = {"%", NULL, FAILS},
    [OP_NEG] = {"-", NULL, FAILS},
    [OP_CONCAT] = {"||", " || ", NULL},
    [OP_EQ] = {"=", " = ", NULL},
    [OP_NE] = {"<>", " <> ", NULL},
    [OP_LT] = {"<", " < ", NULL},
    [OP_LE] = {"<=", " <= ", NULL},
    [OP_GT] = {">", " > ", NULL},
    [OP_GE] = {">=", " >= ", NULL},
    [OP_DISTINCT] = {"IS DISTINCT FROM", " <=> ", NULL}, // in a NOT
    [OP_NOT_DISTINCT] = {"IS NOT DISTINCT FROM", " <=> ", NULL},
    [OP_AND] = {"AND", " AND ", NULL},
    [OP_OR] = {"OR", " OR ", NULL},
    [OP_NOT] = {"NOT", "NOT ", NULL},
    [OP_LIKE] = {"LIKE", " RLIKE ", NULL},
    [OP_BETWEEN] = {"BETWEEN", " BETWEEN ", NULL},
    [OP_IS_NULL] = {"IS NULL", " IS NULL", NULL},
    [OP_IS_NOT_NULL] = {"IS NOT NULL", " IS NOT NULL", NULL},
    [OP_IS_TRUE] = {"IS TRUE", " IS TRUE", NULL},
    [OP_IS_NOT_TRUE] = {"IS NOT TRUE", " IS NOT TRUE", NULL},
    [OP_IS_FALSE] = {"IS FALSE", " IS FALSE", NULL},
    [OP_IS_NOT_FALSE] = {"IS NOT FALSE", " IS NOT FALSE", NULL},
    [OP_COALESCE] = {"COALESCE", "coalesce", NULL},
    [OP_NULLIF] = {"NULLIF", "nullif", NULL},
    [OP_GREATEST] = {"GREATEST", "greatest", NULL},
    [OP_LEAST] = {"LEAST", "least", NULL},
};

const struct spark_op *spark_op_of(enum op op)
{
    return &ops[op];
}

static bool constant_int(const struct expr *expr, int64_t *ret)
{
    if (expr->kind != EXPR_CONST || expr->constant.kind != VALUE_INT)
        return false;
    *ret = expr->constant.i;
    return true;
}

bool spark_constant_text(const struct expr *expr, struct str *ret)
{
    if (expr->kind != EXPR_CONST || expr->constant.kind != VALUE_TEXT)
        return false;
    *ret = value_str(expr->constant);
    return true;
}

// Calls that have a twin with some arguments only.

static const char *refuses_substr(const struct expr *call)
{
    int64_t from, n = 0;
    bool is = constant_int(call->args[1], &from) && from >= 1;
    if (call->n_args == 3)
        is = is && constant_int(call->args[2], &n) && n >= 0;
    return is ? NULL
              : "its place has to be a constant from 1 on, its length one from 0 on: "
                "Spark means others otherwise";
}

static const char *refuses_ends(const struct expr *call)
{
    int64_t n;
    bool is = constant_int(call->args[1], &n) && n > INT32_MIN;
    return is ? NULL
              : "its length has to be a constant: Spark means one below 0 otherwise";
}

static const char *refuses_lpad(const struct expr *call)
{
    enum {
        CHARACTERS_MAX = 1 << 20 // above it fails
    };
    int64_t n;
    bool is = constant_int(call->args[1], &n) && n <= CHARACTERS_MAX;
    return is ? NULL : "its length has to be a constant of at most 1048576: " FAILS;
}

// A record has 16 MiB at most, a text that replace gives 64.
static const char *refuses_replace(const struct expr *call)
{
    enum {
        TIMES_MAX = 4
    };
    struct str old, new;
    bool is = spark_constant_text(call->args[1], &old) &&
              spark_constant_text(call->args[2], &new) && new.n <= TIMES_MAX *old.n;
    return is ? NULL
              : "both texts have to be constants, the second at most 4 times as long "
                "as the first: " FAILS;
}

static const char *refuses_split_part(const struct expr *call)
{
    int64_t n;
    bool is = constant_int(call->args[2], &n) && n != 0;
    return is ? NULL : "its number has to be a constant other than 0: " FAILS;
}

static const char *refuses_abs(const struct expr *call)
{
    return call->args[0]->type == TYPE_REAL ? NULL : FAILS;
}

static const char *refuses_round(const struct expr *call)
{
    return call->n_args == 1 ? NULL : "Spark rounds to places by other digits";
}

static const struct spark_function functions_of_spark[] = {
    {.name = "lower", .print = spark_print_letters},
    {.name = "upper", .print = spark_print_letters},
    {.name = "length", .twin = "char_length"},
    {.name = "substr", .twin = "substring", .refuses = refuses_substr},
    {.name = "substring", .twin = "substring", .refuses = refuses_substr},
    {.name = "left", .print = spark_print_left, .refuses = refuses_ends},
    {.name = "right", .print = spark_print_right, .refuses = refuses_ends},
    {.name = "trim", .print = spark_print_trim},
    {.name = "btrim", .print = spark_print_trim},
    {.name = "ltrim", .print = spark_print_trim},
    {.name = "rtrim", .print = spark_print_trim},
    {.name = "replace", .twin = "replace", .refuses = refuses_replace},
    {.name = "lpad", .twin = "lpad", .refuses = refuses_lpad},
    {.name = "strpos", .twin = "instr"},
    {.name = "instr", .twin = "instr"},
    {.name = "position", .twin = "instr"},
    {.name = "starts_with", .twin = "startswith"},
    {.name = "split_part", .twin = "split_part", .refuses = refuses_split_part},
    {.name = "abs", .twin = "abs", .refuses = refuses_abs},
    {.name = "round", .twin = "bround", .refuses = refuses_round},
    {.name = "ceil", .print = spark_print_whole},
    {.name = "floor", .print = spark_print_whole},
    {.name = "gtfs_seconds", .print = spark_print_gtfs_seconds},
    {.name = "gtfs_time", .print = spark_print_gtfs_time},
    {.name = "now", .print = spark_print_now},
};

const struct spark_function *spark_function_of(const struct expr *call)
{
    size_t i = 0;
    while (strcmp(functions_of_spark[i].name, call->function->name) != 0) {
        i++;
        assert(i < ARRAY_LEN(functions_of_spark)); // test_sql_spark looks at all
    }
    return &functions_of_spark[i];
}

const char *spark_refuses_cast(enum type from, enum type to)
{
    if (from == to || from == TYPE_UNKNOWN)
        return NULL;
    if (from == TYPE_REAL && to == TYPE_TEXT)
        return "Spark writes a REAL as another text";
    bool may_fail = from == TYPE_TEXT ||
                    (from == TYPE_REAL && (to == TYPE_INT || to == TYPE_BIGINT)) ||
                    (from == TYPE_BIGINT && to == TYPE_INT);
    return may_fail ? FAILS : NULL;
}
