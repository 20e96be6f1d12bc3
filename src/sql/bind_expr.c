// SPDX-License-Identifier: Apache-2.0
#include "sql/bind.h"

#include <stdio.h>

static const char *op_text(enum op op)
{
    static const char *const texts[] = {
        [OP_ADD] = "+",
        [OP_SUB] = "-",
        [OP_MUL] = "*",
        [OP_DIV] = "/",
        [OP_MOD] = "%",
        [OP_NEG] = "-",
        [OP_CONCAT] = "||",
        [OP_EQ] = "=",
        [OP_NE] = "<>",
        [OP_LT] = "<",
        [OP_LE] = "<=",
        [OP_GT] = ">",
        [OP_GE] = ">=",
        [OP_DISTINCT] = "IS DISTINCT FROM",
        [OP_NOT_DISTINCT] = "IS NOT DISTINCT FROM",
        [OP_AND] = "AND",
        [OP_OR] = "OR",
        [OP_NOT] = "NOT",
        [OP_LIKE] = "LIKE",
        [OP_BETWEEN] = "BETWEEN",
        [OP_IS_TRUE] = "IS TRUE",
        [OP_IS_NOT_TRUE] = "IS NOT TRUE",
        [OP_IS_FALSE] = "IS FALSE",
        [OP_IS_NOT_FALSE] = "IS NOT FALSE",
        [OP_COALESCE] = "COALESCE",
        [OP_NULLIF] = "NULLIF",
        [OP_GREATEST] = "GREATEST",
        [OP_LEAST] = "LEAST",
    };
    return texts[op] ? texts[op] : "this";
}

static void set(struct expr *expr, enum type type)
{
    expr->type = type;
}

static void bind_args(struct binder *binder, struct expr *expr)
{
    expr->nullable = false;
    for (size_t i = 0; i < expr->n_args; i++) {
        bind_expr(binder, expr->args[i]);
        expr->failed |= expr->args[i]->failed;
        expr->nullable |= expr->args[i]->nullable;
    }
}

// How to make TEXT and another type meet: a literal is best written as the other.
static void mismatch_hint(struct binder *binder, const struct expr *text,
                          const struct expr *other)
{
    struct value ignored;
    struct str s = value_str(text->constant);
    if (other->kind == EXPR_CONST && other->constant.kind == VALUE_INT)
        report_hint(binder->report, "write '%lld', or CAST(... AS %s) on the other side",
                    (long long)other->constant.i, type_name(other->type));
    else if (text->kind == EXPR_CONST && type_is_number(other->type) &&
             value_parse(other->type, s, &ignored))
        report_hint(binder->report, "write %.*s without quotes", STR_ARGS(s));
    else
        report_hint(binder->report, "write CAST(... AS %s) on one side",
                    type_name(other->type));
}

static void mismatch(struct binder *binder, struct expr *expr, const char *what,
                     const struct expr *a, const struct expr *b)
{
    expr->failed = true;
    report_error(binder->report, expr->at, "%s %s and %s", what, type_said(a),
                 type_said(b));
    if (a->type == TYPE_TEXT)
        mismatch_hint(binder, a, b);
    else if (b->type == TYPE_TEXT)
        mismatch_hint(binder, b, a);
    else
        report_hint(binder->report, "write CAST(... AS %s) on one side",
                    type_name(a->type));
}

// The one type of args [from, n); failed when they have none. Coerces them to it.
static enum type unify(struct binder *binder, struct expr *expr, struct expr **slots,
                       size_t n, size_t step, const char *what)
{
    enum type type = TYPE_UNKNOWN;
    const struct expr *first = NULL;
    for (size_t i = 0; i < n && !expr->failed; i += step) {
        if (slots[i]->failed) {
            expr->failed = true;
        } else if (slots[i]->type != TYPE_UNKNOWN) {
            enum type common = type_common(type, slots[i]->type);
            if (common == TYPE_UNKNOWN)
                mismatch(binder, expr, what, first, slots[i]);
            type = common;
            first = first ? first : slots[i];
        }
    }
    for (size_t i = 0; i < n && !expr->failed; i += step)
        bind_coerce(binder, &slots[i], type);
    return type;
}

static void bind_arithmetic(struct binder *binder, struct expr *expr)
{
    struct expr *a = expr->args[0], *b = expr->args[expr->n_args - 1];
    enum type type = type_common(a->type, b->type);
    bool numbers = (type_is_number(a->type) || a->type == TYPE_UNKNOWN) &&
                   (type_is_number(b->type) || b->type == TYPE_UNKNOWN);
    if (!numbers || type == TYPE_UNKNOWN || (expr->op == OP_MOD && type == TYPE_REAL)) {
        expr->failed = true;
        const char *want = expr->op == OP_MOD ? "whole numbers" : "numbers";
        if (expr->n_args == 1)
            report_error(binder->report, expr->at, "%s takes a number, not %s",
                         op_text(expr->op), type_said(a));
        else
            report_error(binder->report, expr->at, "%s takes %s, not %s and %s",
                         op_text(expr->op), want, type_said(a), type_said(b));
        report_hint(binder->report, "write CAST(... AS INT), or || to join text");
        return;
    }
    for (size_t i = 0; i < expr->n_args; i++)
        bind_coerce(binder, &expr->args[i], type);
    set(expr, type);
}

static void bind_comparison(struct binder *binder, struct expr *expr)
{
    char what[64];
    snprintf(what, sizeof(what), "%s compares values of one type, not",
             op_text(expr->op));
    (void)unify(binder, expr, expr->args, expr->n_args, 1, what);
    set(expr, TYPE_BOOLEAN);
}

static void bind_conditions(struct binder *binder, struct expr *expr)
{
    for (size_t i = 0; i < expr->n_args; i++) {
        struct expr *arg = expr->args[i];
        if (arg->type == TYPE_UNKNOWN)
            bind_coerce(binder, &expr->args[i], TYPE_BOOLEAN);
        if (arg->failed || arg->type == TYPE_BOOLEAN)
            continue;
        expr->failed = true;
        report_error(binder->report, arg->at, "%s takes conditions, not %s",
                     op_text(expr->op), type_said(arg));
        report_hint(binder->report, "compare it with something, such as x <> 0");
    }
    set(expr, TYPE_BOOLEAN);
}

static void bind_texts(struct binder *binder, struct expr *expr, enum type result)
{
    for (size_t i = 0; i < expr->n_args; i++) {
        struct expr *arg = expr->args[i];
        bind_coerce(binder, &expr->args[i],
                    arg->type == TYPE_UNKNOWN ? TYPE_TEXT : arg->type);
        bool good =
            arg->type == TYPE_TEXT || (expr->op == OP_CONCAT && arg->type != TYPE_BYTES);
        if (arg->failed || good)
            continue;
        expr->failed = true;
        report_error(binder->report, arg->at, "%s takes TEXT, not %s", op_text(expr->op),
                     type_said(arg));
        report_hint(binder->report, "write CAST(... AS TEXT)");
    }
    set(expr, result);
}

static void bind_list(struct binder *binder, struct expr *expr)
{
    char what[64];
    snprintf(what, sizeof(what), "%s takes values of one type, not", op_text(expr->op));
    set(expr, unify(binder, expr, expr->args, expr->n_args, 1, what));
    if (expr->op == OP_NULLIF) {
        expr->nullable = true;
        return;
    }
    // COALESCE, GREATEST and LEAST are NULL when all of theirs are.
    expr->nullable = true;
    for (size_t i = 0; i < expr->n_args; i++)
        expr->nullable &= expr->args[i]->nullable;
    if (expr->type == TYPE_BYTES || expr->type == TYPE_BOOLEAN) {
        if (expr->op == OP_COALESCE)
            return;
        expr->failed = true;
        report_error(binder->report, expr->at, "%s takes TEXT or numbers, not %s",
                     op_text(expr->op), type_name(expr->type));
        report_hint(binder->report, "write CASE WHEN ... THEN ... END");
    }
}

static void bind_op(struct binder *binder, struct expr *expr)
{
    bind_args(binder, expr);
    if (expr->failed)
        return;
    switch (expr->op) {
    case OP_ADD:
    case OP_SUB:
    case OP_MUL:
    case OP_DIV:
    case OP_MOD:
    case OP_NEG:
        bind_arithmetic(binder, expr);
        break;
    case OP_CONCAT:
        bind_texts(binder, expr, TYPE_TEXT);
        break;
    case OP_LIKE:
        bind_texts(binder, expr, TYPE_BOOLEAN);
        break;
    case OP_EQ:
    case OP_NE:
    case OP_LT:
    case OP_LE:
    case OP_GT:
    case OP_GE:
    case OP_BETWEEN:
        bind_comparison(binder, expr);
        break;
    case OP_DISTINCT:
    case OP_NOT_DISTINCT:
        bind_comparison(binder, expr);
        expr->nullable = false;
        break;
    case OP_AND:
    case OP_OR:
    case OP_NOT:
        bind_conditions(binder, expr);
        break;
    case OP_IS_NULL:
    case OP_IS_NOT_NULL:
        set(expr, TYPE_BOOLEAN);
        expr->nullable = false;
        break;
    case OP_IS_TRUE:
    case OP_IS_NOT_TRUE:
    case OP_IS_FALSE:
    case OP_IS_NOT_FALSE:
        bind_conditions(binder, expr);
        expr->nullable = false;
        break;
    case OP_COALESCE:
    case OP_NULLIF:
    case OP_GREATEST:
    case OP_LEAST:
        bind_list(binder, expr);
        break;
    }
}

static void bind_case(struct binder *binder, struct expr *expr)
{
    bind_args(binder, expr);
    size_t n_whens = expr->n_args / 2;
    bool has_else = expr->n_args % 2 == 1;
    if (expr->subject != NULL) {
        bind_expr(binder, expr->subject);
        expr->failed |= expr->subject->failed;
    }
    if (expr->failed)
        return;
    // The subject beside the values that it is compared with.
    struct expr **tests = arena_array(binder->arena, n_whens + 1, sizeof(*tests));
    for (size_t i = 0; i < n_whens; i++)
        tests[i] = expr->args[2 * i];
    tests[n_whens] = expr->subject;
    struct expr **results = arena_array(binder->arena, n_whens + 1, sizeof(*results));
    for (size_t i = 0; i < n_whens; i++)
        results[i] = expr->args[2 * i + 1];
    results[n_whens] = has_else ? expr->args[2 * n_whens] : NULL;
    if (expr->subject != NULL)
        (void)unify(binder, expr, tests, n_whens + 1, 1,
                    "CASE compares values of one type, not");
    set(expr, unify(binder, expr, results, n_whens + has_else, 1,
                    "CASE gives values of one type, not"));
    expr->nullable = !has_else;
    for (size_t i = 0; i < n_whens; i++) {
        expr->args[2 * i] = tests[i];
        expr->args[2 * i + 1] = results[i];
        expr->nullable |= results[i]->nullable;
        if (expr->subject == NULL && !expr->failed)
            bind_coerce(binder, &expr->args[2 * i], TYPE_BOOLEAN);
        if (expr->subject == NULL && expr->args[2 * i]->type != TYPE_BOOLEAN &&
            !expr->failed) {
            expr->failed = true;
            report_error(binder->report, tests[i]->at, "WHEN takes a condition, not %s",
                         type_said(tests[i]));
            report_hint(binder->report, "write CASE x WHEN value, or WHEN x = value");
        }
    }
    if (expr->subject != NULL)
        expr->subject = tests[n_whens];
    if (has_else) {
        expr->args[2 * n_whens] = results[n_whens];
        expr->nullable |= results[n_whens]->nullable;
    }
}

// Which types can be made of which.
static bool can_cast(enum type from, enum type to)
{
    if (from == to || from == TYPE_UNKNOWN)
        return true;
    if (from == TYPE_BYTES || to == TYPE_BYTES)
        return false;
    if (from == TYPE_TEXT || to == TYPE_TEXT)
        return true;
    if (from == TYPE_BOOLEAN)
        return to == TYPE_INT;
    if (to == TYPE_BOOLEAN)
        return from == TYPE_INT;
    return true;
}

static void bind_cast(struct binder *binder, struct expr *expr)
{
    bind_args(binder, expr);
    struct expr *arg = expr->args[0];
    if (!expr->failed && !can_cast(arg->type, expr->cast_to)) {
        expr->failed = true;
        report_error(binder->report, expr->at, "%s cannot be made %s", type_said(arg),
                     type_name(expr->cast_to));
        bool is_boolean = arg->type == TYPE_BOOLEAN || expr->cast_to == TYPE_BOOLEAN;
        report_hint(binder->report, "%s",
                    is_boolean ? "write CASE WHEN ... THEN ... END"
                               : "BYTES have no other form");
    }
    set(expr, expr->cast_to);
}

static void bind_in_list(struct binder *binder, struct expr *expr)
{
    bind_args(binder, expr);
    (void)unify(binder, expr, expr->args, expr->n_args, 1,
                "IN compares values of one type, not");
    set(expr, TYPE_BOOLEAN);
}

static bool one_column(struct binder *binder, struct expr *expr, const char *what)
{
    if (expr->query->schema.n == 1)
        return true;
    expr->failed = true;
    report_error(binder->report, expr->query->at, "%s takes one column, not %zu", what,
                 expr->query->schema.n);
    report_hint(binder->report, "select one column");
    return false;
}

static void bind_in(struct binder *binder, struct expr *expr)
{
    bind_args(binder, expr);
    set(expr, TYPE_BOOLEAN);
    expr->failed |= expr->query->failed;
    if (expr->failed || !one_column(binder, expr, "IN (SELECT ...)"))
        return;
    const struct column *column = &expr->query->schema.columns[0];
    struct expr stand_in = {.at = expr->query->at, .type = column->type};
    struct expr *slots[] = {expr->args[0], &stand_in};
    enum type type =
        unify(binder, expr, slots, 2, 1, "IN compares values of one type, not");
    expr->args[0] = slots[0];
    expr->nullable |= column->nullable;
    if (!expr->failed)
        bind_coerce_column(binder, expr->query, 0, type);
}

// One row for certain: aggregates over all rows.
static bool gives_one_row(const struct query *query)
{
    return query->set_op == SET_NONE && query->has_aggregates && query->n_groups == 0 &&
           query->having == NULL && query->limit == NULL && query->offset == NULL;
}

static void bind_subquery(struct binder *binder, struct expr *expr)
{
    bind_query(binder, expr->query, NAMES_FREE);
    expr->failed = expr->query->failed;
    binder->scope->query->reads_stream |= expr->query->reads_stream;
    if (expr->kind == EXPR_IN) {
        bind_in(binder, expr);
    } else if (expr->kind == EXPR_EXISTS) {
        set(expr, TYPE_BOOLEAN);
    } else if (!expr->failed && one_column(binder, expr, "a subquery as a value")) {
        set(expr, expr->query->schema.columns[0].type);
        expr->nullable =
            !gives_one_row(expr->query) || expr->query->schema.columns[0].nullable;
    }
}

void bind_expr(struct binder *binder, struct expr *expr)
{
    switch (expr->kind) {
    case EXPR_COLUMN:
        bind_column(binder, expr);
        break;
    case EXPR_CONST:
        break;
    case EXPR_OP:
        bind_op(binder, expr);
        break;
    case EXPR_CASE:
        bind_case(binder, expr);
        break;
    case EXPR_CAST:
        bind_cast(binder, expr);
        break;
    case EXPR_CALL:
        bind_call(binder, expr);
        break;
    case EXPR_IN_LIST:
        bind_in_list(binder, expr);
        break;
    case EXPR_IN:
    case EXPR_EXISTS:
    case EXPR_SCALAR:
        bind_subquery(binder, expr);
        break;
    case EXPR_STAR:
        expr->failed = true;
        report_error(binder->report, expr->at,
                     "* stands among the outputs of SELECT only");
        report_hint(binder->report, "write a column");
        break;
    }
}

void bind_condition(struct binder *binder, struct expr *expr, const char *what)
{
    bind_expr(binder, expr);
    if (expr->failed || expr->type == TYPE_BOOLEAN)
        return;
    if (expr->type == TYPE_UNKNOWN) {
        expr->type = TYPE_BOOLEAN;
        return;
    }
    report_error(binder->report, expr->at, "%s takes a condition, not %s", what,
                 type_said(expr));
    report_hint(binder->report, "compare it with something, such as x <> 0");
}
