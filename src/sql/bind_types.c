// SPDX-License-Identifier: Apache-2.0
#include "sql/bind.h"

bool type_is_number(enum type type)
{
    return type == TYPE_INT || type == TYPE_BIGINT || type == TYPE_REAL;
}

enum type type_common(enum type a, enum type b)
{
    if (a == b || b == TYPE_UNKNOWN)
        return a;
    if (a == TYPE_UNKNOWN)
        return b;
    if (!type_is_number(a) || !type_is_number(b))
        return TYPE_UNKNOWN;
    return a == TYPE_REAL || b == TYPE_REAL ? TYPE_REAL : TYPE_BIGINT;
}

const char *type_said(const struct expr *expr)
{
    return expr->type == TYPE_UNKNOWN ? "NULL" : type_name(expr->type);
}

struct expr *bind_new_expr(struct binder *binder, enum expr_kind kind, size_t at)
{
    struct expr *expr = arena_zalloc(binder->arena, sizeof(*expr));
    expr->kind = kind;
    expr->at = at;
    return expr;
}

void bind_coerce(struct binder *binder, struct expr **slot, enum type type)
{
    struct expr *expr = *slot;
    if (expr->failed || expr->type == type || type == TYPE_UNKNOWN)
        return;
    if (expr->type == TYPE_UNKNOWN)
        expr->type = type; // a bare NULL takes the type that is wanted of it
    if (expr->type == type || type != TYPE_REAL)
        return; // an INT is a BIGINT already
    struct expr *cast = bind_new_expr(binder, EXPR_CAST, expr->at);
    cast->cast_to = cast->type = type;
    cast->nullable = expr->nullable;
    cast->n_args = 1;
    cast->args = arena_alloc(binder->arena, sizeof(*cast->args));
    cast->args[0] = expr;
    *slot = cast;
}

void bind_coerce_column(struct binder *binder, struct query *query, size_t column,
                        enum type type)
{
    if (query->failed || column >= query->schema.n)
        return;
    query->schema.columns[column].type = type;
    if (query->set_op != SET_NONE) {
        bind_coerce_column(binder, query->left, column, type);
        bind_coerce_column(binder, query->right, column, type);
        return;
    }
    bind_coerce(binder, &query->outputs[column].expr, type);
}

static bool args_equal(const struct expr *a, const struct expr *b)
{
    if (a->n_args != b->n_args || !a->subject != !b->subject)
        return false;
    for (size_t i = 0; i < a->n_args; i++)
        if (!expr_equal(a->args[i], b->args[i]))
            return false;
    return a->subject == NULL || expr_equal(a->subject, b->subject);
}

// Whether two bound expressions are the same by their trees.
bool expr_equal(const struct expr *a, const struct expr *b)
{
    if (a == b)
        return true;
    // Subqueries, aggregates' clauses and windows are never taken for equal.
    if (a->kind != b->kind || a->query || b->query || a->over || b->over || a->filter ||
        b->filter || a->failed || b->failed)
        return false;
    switch (a->kind) {
    case EXPR_COLUMN:
        return a->leaf == b->leaf && a->column == b->column;
    case EXPR_CONST:
        return a->type == b->type && value_eq(a->constant, b->constant);
    case EXPR_OP:
        return a->op == b->op && value_eq(a->constant, b->constant) && args_equal(a, b);
    case EXPR_CAST:
        return a->cast_to == b->cast_to && args_equal(a, b);
    case EXPR_CALL:
        return a->function == b->function && a->star == b->star &&
               a->distinct == b->distinct && args_equal(a, b);
    case EXPR_CASE:
    case EXPR_IN_LIST:
        return args_equal(a, b);
    default:
        return false;
    }
}
