// SPDX-License-Identifier: Apache-2.0
// Which sides an expression reads, and what it is without views and subqueries over the
// stream: its columns become what they stand for there.
#include <stdlib.h>

#include "sql/bind.h"
#include "sql/native_maker.h"

void native_refuse(struct native_maker *maker, const char *why)
{
    if (maker->why == NULL)
        maker->why = why;
}

static void step_leaf(struct from *leaf, void *arg)
{
    struct native_maker *maker = arg;
    if (leaf->owner == NULL) // made for a subquery, again with each try
        return;
    for (size_t i = 0; i < maker->n_stepped; i++)
        if (maker->stepped[i] == leaf)
            return;
    MEM_GROW(maker->stepped, maker->n_stepped, maker->stepped_capacity);
    maker->stepped[maker->n_stepped++] = leaf;
}

void native_step_instead(struct native_maker *maker, int reads)
{
    size_t n_before = maker->n_stepped;
    for (size_t i = 0; i < maker->n_joins; i++)
        if ((reads & reads_join(i)) != 0)
            from_each_leaf(maker->joins[i].tables, step_leaf, maker);
    if ((reads & reads_join(maker->n_joins)) != 0)
        from_each_leaf(maker->new_tables, step_leaf, maker);
    if (maker->why == NULL)
        maker->again = maker->n_stepped > n_before;
    // Else all is a step, but for the one that is just being made.
    native_refuse(maker, "A subquery in ON of a left join uses both its sides.");
}

void exprs_add(struct exprs *exprs, const struct expr *expr)
{
    MEM_GROW(exprs->items, exprs->n, exprs->capacity);
    exprs->items[exprs->n++] = expr;
}

// What is read.

struct reads {
    const struct native_maker *maker;
    int reads;
};

bool native_has_leaf(const struct from *from, const struct from *leaf)
{
    if (from == NULL || from->kind != FROM_JOIN)
        return from == leaf;
    return native_has_leaf(from->left, leaf) || native_has_leaf(from->right, leaf);
}

static int reads_of_leaf(const struct reads *reads, const struct from *leaf)
{
    const struct native_maker *maker = reads->maker;
    for (size_t i = 0; i < maker->n_joins; i++)
        if (native_has_leaf(maker->joins[i].tables, leaf))
            return reads_join(i);
    if (maker->new_tables != NULL && native_has_leaf(maker->new_tables, leaf))
        return reads_join(maker->n_joins);
    return READS_STREAM;
}

static void note_reads(struct expr *expr, void *arg)
{
    struct reads *reads = arg;
    if (expr->kind == EXPR_COLUMN)
        reads->reads |= reads_of_leaf(reads, expr->leaf);
    if (expr->kind == EXPR_CALL && expr->function->call == time_now)
        reads->reads |= READS_STREAM; // the batch's
    expr_each(expr, note_reads, reads);
}

int native_reads(const struct native_maker *maker, const struct expr *expr)
{
    struct reads reads = {.maker = maker};
    // Reads only.
    note_reads((struct expr *)(uintptr_t)expr, &reads);
    return reads.reads;
}

bool native_is_equality(const struct expr *expr)
{
    return expr->kind == EXPR_OP && expr->op == OP_EQ;
}

// Columns of views and subqueries over the stream.

static const struct query *query_of(const struct native_maker *maker,
                                    const struct from *leaf)
{
    for (size_t i = 0; i < maker->n_in_place; i++)
        if (maker->in_place[i].leaf == leaf)
            return maker->in_place[i].query;
    return NULL;
}

static struct expr *resolve_column(struct native_maker *maker, const struct expr *expr)
{
    const struct query *query = query_of(maker, expr->leaf);
    return query == NULL ? (struct expr *)(uintptr_t)expr
                         : native_resolve(maker, query->outputs[expr->column].expr);
}

struct expr *native_resolve(struct native_maker *maker, const struct expr *expr)
{
    struct arena *arena = &maker->plan->arena;
    if (expr->kind == EXPR_COLUMN)
        return resolve_column(maker, expr);
    if (expr->query != NULL)
        return native_take_subquery(maker, expr);
    bool has_arms =
        expr->kind == EXPR_CASE || (expr->kind == EXPR_OP && expr->op == OP_COALESCE);
    struct expr *copy = arena_zalloc(arena, sizeof(*copy));
    *copy = *expr;
    copy->args = arena_array(arena, expr->n_args + 1, sizeof(*copy->args));
    maker->n_arms += has_arms;
    for (size_t i = 0; i < expr->n_args; i++)
        copy->args[i] = native_resolve(maker, expr->args[i]);
    if (expr->subject != NULL)
        copy->subject = native_resolve(maker, expr->subject);
    maker->n_arms -= has_arms;
    return copy;
}

// Conditions.

void native_split_and(struct exprs *conditions, const struct expr *expr)
{
    if (expr->kind != EXPR_OP || expr->op != OP_AND) {
        exprs_add(conditions, expr);
        return;
    }
    for (size_t i = 0; i < expr->n_args; i++)
        native_split_and(conditions, expr->args[i]);
}

// Those that must all be true, over stream and tables.
void native_take_conditions(struct native_maker *maker, const struct expr *expr,
                            struct exprs *ret)
{
    struct exprs parts = {0};
    *ret = (struct exprs){0};
    if (expr != NULL)
        native_split_and(&parts, expr);
    for (size_t i = 0; i < parts.n; i++) {
        maker->is_condition = parts.items[i]->kind == EXPR_IN;
        native_split_and(ret, native_resolve(maker, parts.items[i]));
        maker->is_condition = false;
    }
    free(parts.items);
}

struct expr *native_all_of(struct native_maker *maker, const struct exprs *conditions)
{
    struct arena *arena = &maker->plan->arena;
    struct expr *all = arena_zalloc(arena, sizeof(*all));
    all->kind = EXPR_OP;
    all->op = OP_AND;
    all->type = TYPE_BOOLEAN;
    all->n_args = conditions->n;
    all->args = arena_array(arena, conditions->n + 1, sizeof(*all->args));
    if (conditions->n > 0)
        memcpy(all->args, conditions->items, conditions->n * sizeof(*all->args));
    return all;
}
