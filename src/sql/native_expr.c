// SPDX-License-Identifier: Apache-2.0
#include "expr/eval.h"
#include "sql/functions.h"
#include "sql/native_maker.h"

struct expr *native_expr(struct native_maker *maker, enum expr_kind kind, enum type type,
                         size_t n_args)
{
    struct arena *arena = &maker->plan->arena;
    struct expr *expr = arena_zalloc(arena, sizeof(*expr));
    expr->kind = kind;
    expr->type = type;
    expr->nullable = true;
    expr->args = arena_array(arena, n_args + 1, sizeof(*expr->args));
    expr->n_args = n_args;
    return expr;
}

struct expr *native_constant(struct native_maker *maker, enum type type,
                             struct value value)
{
    struct expr *expr = native_expr(maker, EXPR_CONST, type, 0);
    expr->constant = value;
    expr->nullable = value.kind == VALUE_NULL;
    return expr;
}

struct expr *native_boolean(struct native_maker *maker, bool is_true)
{
    return native_constant(maker, TYPE_BOOLEAN,
                           (struct value){.i = is_true, .kind = VALUE_BOOL});
}

struct expr *native_column(struct native_maker *maker, const struct from *leaf,
                           size_t column)
{
    struct expr *expr =
        native_expr(maker, EXPR_COLUMN, leaf->schema.columns[column].type, 0);
    expr->leaf = leaf;
    expr->column = column;
    expr->nullable = leaf->schema.columns[column].nullable;
    return expr;
}

struct expr *native_op(struct native_maker *maker, enum op op, struct expr *a,
                       struct expr *b)
{
    struct expr *expr = native_expr(maker, EXPR_OP, TYPE_BOOLEAN, b != NULL ? 2 : 1);
    expr->op = op;
    expr->args[0] = a;
    expr->args[1] = b;
    return expr;
}

struct expr *native_copy_of(const struct expr *expr)
{
    return (struct expr *)(uintptr_t)expr; // shared; nobody writes to it
}

// An error of the row: its text is the argument.
static struct value fail(struct call *call, const struct value *args, size_t n_args)
{
    (void)n_args;
    call->error = value_str(args[0]);
    return (struct value){0};
}

static const struct function fails = {
    .name = "fail", .kind = FUNCTION_SCALAR, .call = fail};

struct expr *native_failure(struct native_maker *maker, enum type type, struct expr *text)
{
    struct expr *expr = native_expr(maker, EXPR_CALL, type, 1);
    expr->function = &fails;
    expr->args[0] = text;
    return expr;
}
