// SPDX-License-Identifier: Apache-2.0
#include "sql/catalog.h"
#include "sql/functions.h"
#include "sql/print_spark.h"

static void print_list(struct buf *out, struct expr *const *exprs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        buf_text(out, i ? ", " : "");
        spark_print_expr(out, exprs[i]);
    }
}

static void print_real(struct buf *out, struct value real)
{
    buf_text(out, "CAST('");
    value_format(real, out);
    buf_text(out, "' AS DOUBLE)");
}

// The least numbers have no literal of their own type.
static void print_integer(struct buf *out, int64_t i, enum type type)
{
    buf_printf(out, i < 0 ? "CAST('%lld' AS %s)" : "%lld", (long long)i,
               spark_type(type));
    if (i >= 0 && type == TYPE_BIGINT)
        buf_char(out, 'L');
}

static void print_constant(struct buf *out, const struct expr *expr)
{
    struct value v = expr->constant;
    switch (v.kind) {
    case VALUE_TEXT:
        spark_print_text(out, value_str(v));
        break;
    case VALUE_INT:
        print_integer(out, v.i, expr->type);
        break;
    case VALUE_REAL:
        print_real(out, v);
        break;
    case VALUE_BOOL:
        buf_text(out, v.i ? "true" : "false");
        break;
    default:
        if (expr->type == TYPE_UNKNOWN)
            buf_text(out, "NULL");
        else
            buf_printf(out, "CAST(NULL AS %s)", spark_type(expr->type));
        break;
    }
}

static void print_column(struct buf *out, const struct from *leaf, size_t column)
{
    const struct relation *relation =
        leaf->cte != NULL ? leaf->cte->hoisted : leaf->relation;
    const struct schema *schema = relation    ? &relation->schema
                                  : leaf->cte ? &leaf->cte->schema
                                              : &leaf->schema;
    spark_print_name(out, leaf->label);
    buf_char(out, '.');
    spark_print_name(out, schema->columns[column].name);
}

static void print_infix(struct buf *out, const struct expr *expr, const char *op)
{
    buf_char(out, '(');
    for (size_t i = 0; i < expr->n_args; i++) {
        buf_text(out, i ? op : "");
        spark_print_expr(out, expr->args[i]);
    }
    buf_char(out, ')');
}

static void print_postfix(struct buf *out, const struct expr *expr, const char *op)
{
    buf_char(out, '(');
    spark_print_expr(out, expr->args[0]);
    buf_text(out, op);
    buf_char(out, ')');
}

static void print_cast_of(struct buf *out, const struct expr *expr, enum type type)
{
    if (expr->type == type) {
        spark_print_expr(out, expr);
        return;
    }
    buf_text(out, "CAST(");
    spark_print_expr(out, expr);
    buf_printf(out, " AS %s)", spark_type(type));
}

// a || b || c is one list: Spark's parser takes a limited depth.
static void print_chain(struct buf *out, const struct expr *expr)
{
    const struct expr *left = expr->args[0];
    if (left->kind == EXPR_OP && left->op == OP_CONCAT)
        print_chain(out, left);
    else
        print_cast_of(out, left, TYPE_TEXT);
    buf_text(out, " || ");
    print_cast_of(out, expr->args[1], TYPE_TEXT);
}

static void print_concat(struct buf *out, const struct expr *expr)
{
    buf_char(out, '(');
    print_chain(out, expr);
    buf_char(out, ')');
}

// Bytes of the first character.
static size_t character_bytes(struct str s)
{
    size_t n = 1;
    while (n < s.n && (s.p[n] & 0xC0) == 0x80)
        n++;
    return n;
}

static bool is_alphanumeric(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static void quote_character(struct buf *regexp, struct str character)
{
    bool is_plain =
        character.n > 1 || is_alphanumeric(*character.p) || *character.p <= ' ';
    buf_text(regexp, is_plain ? "" : "\\");
    buf_str(regexp, character);
}

// What stands before a %: behind another one it has matched for good where it does first,
// as in expr/like.c, or each of them would be tried with all places of those before it.
static void end_part(struct buf *regexp, struct buf *part, bool is_first)
{
    if (!is_first && part->n > 0)
        buf_text(regexp, "(?>.*?");
    buf_str(regexp, buf_as_str(part));
    if (!is_first && part->n > 0)
        buf_char(regexp, ')');
    buf_clear(part);
}

// A pattern of LIKE as a regular expression: Spark's own LIKE stops the job at an escape
// before any other character, and cuts characters beyond 16 bits in two.
static void like_regexp(struct str pattern, struct str escape, struct buf *regexp)
{
    AUTO(buf_release) struct buf part = {0};
    bool is_first = true; // no % yet
    buf_text(regexp, "(?s)\\A");
    while (pattern.n > 0) {
        struct str character = {pattern.p, character_bytes(pattern)};
        bool is_escape = escape.n > 0 && str_eq(character, escape);
        pattern = (struct str){pattern.p + character.n, pattern.n - character.n};
        if (is_escape && pattern.n == 0) {
            buf_text(&part, "(?!)"); // matches nothing
        } else if (is_escape) {
            character = (struct str){pattern.p, character_bytes(pattern)};
            pattern = (struct str){pattern.p + character.n, pattern.n - character.n};
            quote_character(&part, character);
        } else if (*character.p == '%') {
            end_part(regexp, &part, is_first);
            is_first = false;
        } else if (*character.p == '_') {
            buf_char(&part, '.');
        } else {
            quote_character(&part, character);
        }
    }
    buf_text(regexp, is_first ? "" : ".*");
    buf_str(regexp, buf_as_str(&part));
    buf_text(regexp, "\\z");
}

static void print_like(struct buf *out, const struct expr *expr)
{
    AUTO(buf_release) struct buf regexp = {0};
    like_regexp(value_str(expr->args[1]->constant), value_str(expr->constant), &regexp);
    buf_char(out, '(');
    spark_print_expr(out, expr->args[0]);
    buf_text(out, " RLIKE ");
    spark_print_text(out, buf_as_str(&regexp));
    buf_char(out, ')');
}

static void print_between(struct buf *out, const struct expr *expr)
{
    buf_char(out, '(');
    spark_print_expr(out, expr->args[0]);
    buf_text(out, " BETWEEN ");
    spark_print_expr(out, expr->args[1]);
    buf_text(out, " AND ");
    spark_print_expr(out, expr->args[2]);
    buf_char(out, ')');
}

static void print_not(struct buf *out, const struct expr *expr)
{
    buf_text(out, "(NOT ");
    spark_print_expr(out, expr->args[0]);
    buf_char(out, ')');
}

static void print_distinct(struct buf *out, const struct expr *expr)
{
    buf_text(out, "(NOT ");
    print_infix(out, expr, spark_op_of(expr->op)->twin);
    buf_char(out, ')');
}

// Spark's greatest and least take two at least.
static void print_list_call(struct buf *out, const struct expr *expr)
{
    if (expr->n_args == 1) {
        spark_print_expr(out, expr->args[0]);
        return;
    }
    buf_text(out, spark_op_of(expr->op)->twin);
    buf_char(out, '(');
    print_list(out, expr->args, expr->n_args);
    buf_char(out, ')');
}

static void print_op(struct buf *out, const struct expr *expr)
{
    switch (expr->op) {
    case OP_CONCAT:
        print_concat(out, expr);
        break;
    case OP_LIKE:
        print_like(out, expr);
        break;
    case OP_BETWEEN:
        print_between(out, expr);
        break;
    case OP_NOT:
        print_not(out, expr);
        break;
    case OP_DISTINCT:
        print_distinct(out, expr);
        break;
    case OP_COALESCE:
    case OP_NULLIF:
    case OP_GREATEST:
    case OP_LEAST:
        print_list_call(out, expr);
        break;
    case OP_IS_NULL:
    case OP_IS_NOT_NULL:
    case OP_IS_TRUE:
    case OP_IS_NOT_TRUE:
    case OP_IS_FALSE:
    case OP_IS_NOT_FALSE:
        print_postfix(out, expr, spark_op_of(expr->op)->twin);
        break;
    default:
        print_infix(out, expr, spark_op_of(expr->op)->twin);
        break;
    }
}

static void print_case(struct buf *out, const struct expr *expr)
{
    buf_text(out, "(CASE");
    if (expr->subject != NULL) {
        buf_char(out, ' ');
        spark_print_expr(out, expr->subject);
    }
    size_t i = 0;
    for (; i + 1 < expr->n_args; i += 2) {
        buf_text(out, " WHEN ");
        spark_print_expr(out, expr->args[i]);
        buf_text(out, " THEN ");
        spark_print_expr(out, expr->args[i + 1]);
    }
    if (i < expr->n_args) {
        buf_text(out, " ELSE ");
        spark_print_expr(out, expr->args[i]);
    }
    buf_text(out, " END)");
}

static void print_call(struct buf *out, const struct expr *expr)
{
    const struct spark_function *function = spark_function_of(expr);
    if (function->print != NULL) {
        function->print(out, expr);
        return;
    }
    buf_text(out, function->twin);
    buf_char(out, '(');
    print_list(out, expr->args, expr->n_args);
    buf_char(out, ')');
}

static void print_in_list(struct buf *out, const struct expr *expr)
{
    buf_char(out, '(');
    spark_print_expr(out, expr->args[0]);
    buf_text(out, " IN (");
    print_list(out, expr->args + 1, expr->n_args - 1);
    buf_text(out, "))");
}

void spark_print_expr(struct buf *out, const struct expr *expr)
{
    if (out->full)
        return; // or twins in twins would go on without end
    switch (expr->kind) {
    case EXPR_COLUMN:
        print_column(out, expr->leaf, expr->column);
        break;
    case EXPR_CONST:
        print_constant(out, expr);
        break;
    case EXPR_OP:
        print_op(out, expr);
        break;
    case EXPR_CASE:
        print_case(out, expr);
        break;
    case EXPR_CAST:
        print_cast_of(out, expr->args[0], expr->cast_to);
        break;
    case EXPR_CALL:
        print_call(out, expr);
        break;
    case EXPR_IN_LIST:
        print_in_list(out, expr);
        break;
    case EXPR_IN:
    case EXPR_EXISTS:
    case EXPR_SCALAR:
    case EXPR_STAR:
        break; // not portable; binding has expanded the star
    }
}
