// SPDX-License-Identifier: Apache-2.0
#include "sql/native_apart.h"

#include <stdlib.h>

#include "sql/bind.h"
#include "sql/compile.h"

// All that stands in an expression or a query, subqueries too.

struct visit {
    void (*expr)(struct visit *visit, const struct expr *expr);
    const struct native_maker *maker;
    struct outer outer;
    bool can_fail;
};

static void visit_query(struct visit *visit, struct query *query);

static void visit_expr(struct expr *expr, void *arg)
{
    struct visit *visit = arg;
    visit->expr(visit, expr);
    if (expr->query != NULL)
        visit_query(visit, expr->query);
    expr_each(expr, visit_expr, visit);
}

static void visit_leaf(struct from *leaf, void *arg)
{
    if (leaf->kind == FROM_QUERY && leaf->relation == NULL)
        visit_query(arg, leaf->query);
}

static void visit_query(struct visit *visit, struct query *query)
{
    for (size_t i = 0; i < query->n_ctes; i++)
        visit_query(visit, query->ctes[i].query);
    if (query->set_op != SET_NONE) {
        visit_query(visit, query->left);
        visit_query(visit, query->right);
        return;
    }
    from_each_leaf(query->from, visit_leaf, visit);
    query_each_expr(query, visit_expr, visit);
}

// Whether the leaf stands outside of all subqueries.
bool native_is_outside(const struct native_maker *maker, const struct from *leaf)
{
    bool is = leaf == maker->stream ||
              (maker->new_tables != NULL && native_has_leaf(maker->new_tables, leaf));
    for (size_t i = 0; i < maker->n_joins; i++)
        is |= native_has_leaf(maker->joins[i].tables, leaf);
    for (size_t i = 0; i < maker->n_steps; i++)
        is |= maker->steps[i]->kind <= STEP_LEFT &&
              native_has_leaf(maker->steps[i]->join.tables, leaf);
    for (size_t i = 0; i < maker->n_in_place; i++)
        is |= maker->in_place[i].leaf == leaf;
    return is;
}

static void note_outer(struct visit *visit, const struct expr *expr)
{
    struct native_maker *maker = (struct native_maker *)(uintptr_t)visit->maker;
    if (expr->kind == EXPR_CALL && expr->function->call == time_now) {
        visit->outer.is_used = visit->outer.reads_now = true;
        visit->outer.reads |= READS_STREAM;
    }
    if (expr->kind != EXPR_COLUMN || !native_is_outside(maker, expr->leaf))
        return;
    visit->outer.is_used = true;
    visit->outer.reads |= native_reads(maker, native_resolve(maker, expr));
}

// Sums of many values; those of INTs, and averages of whole numbers, are never too large.
static bool aggregate_can_fail(const struct expr *expr)
{
    bool sums = strcmp(expr->function->name, "sum") == 0 ||
                strcmp(expr->function->name, "avg") == 0;
    if (!sums)
        return false;
    const struct expr *arg = expr->args[0];
    bool was_whole =
        arg->kind == EXPR_CAST && arg->type == TYPE_REAL &&
        (arg->args[0]->type == TYPE_INT || arg->args[0]->type == TYPE_BIGINT);
    return arg->type != TYPE_INT && !was_whole;
}

static bool gives_one_row(const struct query *query)
{
    bool no_more =
        query->set_op == SET_NONE &&
        (query->from == NULL || (query->has_aggregates && query->n_groups == 0));
    return no_more || (query->limit != NULL && query->limit->constant.i <= 1);
}

static void note_failing(struct visit *visit, const struct expr *expr)
{
    bool is_aggregate = expr->kind == EXPR_CALL && expr->function->call == NULL;
    if (expr->query != NULL)
        visit->can_fail |= expr->kind == EXPR_SCALAR && !gives_one_row(expr->query);
    else if (is_aggregate)
        visit->can_fail |= aggregate_can_fail(expr);
    else
        visit->can_fail |= compile_itself_can_fail(expr);
}

static struct visit visit_of(struct native_maker *maker,
                             void (*note)(struct visit *visit, const struct expr *expr),
                             const struct expr *expr, const struct query *query)
{
    struct visit visit = {.expr = note, .maker = maker};
    // Visits read only.
    if (expr != NULL)
        visit_expr((struct expr *)(uintptr_t)expr, &visit);
    if (query != NULL)
        visit_query(&visit, (struct query *)(uintptr_t)query);
    return visit;
}

bool native_can_fail(struct native_maker *maker, const struct expr *expr)
{
    return visit_of(maker, note_failing, expr, NULL).can_fail;
}

struct outer native_outer(struct native_maker *maker, const struct expr *expr)
{
    return visit_of(maker, note_outer, expr, NULL).outer;
}

static bool is_outer(struct native_maker *maker, const struct expr *expr)
{
    return native_outer(maker, expr).is_used;
}

// Whether it reads the subquery's own tables.

struct own {
    const struct from *tables;
    bool reads;
};

static void ask_own(struct expr *expr, void *arg)
{
    struct own *own = arg;
    if (expr->kind == EXPR_COLUMN)
        own->reads |= native_has_leaf(own->tables, expr->leaf);
    expr_each(expr, ask_own, own);
}

static bool reads_own(const struct subquery *subquery, const struct expr *expr)
{
    struct own own = {.tables = subquery->tables};
    ask_own((struct expr *)(uintptr_t)expr, &own); // reads only
    return own.reads;
}

// Taking it apart.

void subquery_refuse(struct subquery *subquery, const char *why)
{
    if (subquery->why == NULL)
        subquery->why = why;
}

bool subquery_is_refused(const struct subquery *subquery)
{
    return subquery->why != NULL || subquery->maker->why != NULL;
}

void subquery_check_arms(struct subquery *subquery, const struct expr *outer)
{
    if (subquery->maker->n_arms > 0 && compile_can_fail(outer))
        subquery_refuse(subquery, "A subquery that may fail stands in CASE or COALESCE.");
}

void subquery_add_key(struct subquery *subquery, const struct expr *outer,
                      const struct expr *inner)
{
    subquery->keys[subquery->n_keys++] = (struct key){outer, inner};
}

static bool is_key(const struct subquery *subquery, const struct expr *outer,
                   const struct expr *inner)
{
    struct native_maker *maker = subquery->maker;
    return subquery->n_keys < KEYS_MAX - 1 && // IN adds one
           !reads_own(subquery, outer) && !is_outer(maker, inner) &&
           reads_own(subquery, inner) && !compile_can_fail(inner);
}

static void take_condition(struct subquery *subquery, const struct expr *condition)
{
    struct native_maker *maker = subquery->maker;
    if (!is_outer(maker, condition) && !native_can_fail(maker, condition)) {
        exprs_add(&subquery->inner, condition);
        return;
    }
    if (!compile_can(condition)) {
        subquery_refuse(
            subquery, "A subquery in a subquery uses columns from outside, or may fail.");
        return;
    }
    condition = native_resolve(maker, condition);
    subquery->reads |= native_outer(maker, condition).reads;
    subquery_check_arms(subquery, condition);
    bool equality = condition->kind == EXPR_OP && condition->op == OP_EQ;
    if (equality && is_key(subquery, condition->args[0], condition->args[1]))
        subquery_add_key(subquery, condition->args[0], condition->args[1]);
    else if (equality && is_key(subquery, condition->args[1], condition->args[0]))
        subquery_add_key(subquery, condition->args[1], condition->args[0]);
    else
        exprs_add(&subquery->both, condition);
}

static bool from_can_stay(struct native_maker *maker, const struct from *from)
{
    if (from->kind == FROM_JOIN)
        return from_can_stay(maker, from->left) && from_can_stay(maker, from->right) &&
               (from->on == NULL ||
                (!is_outer(maker, from->on) && !native_can_fail(maker, from->on)));
    const struct query *query = from->relation == NULL ? from->query : NULL;
    return query == NULL || (!visit_of(maker, note_outer, NULL, query).outer.is_used &&
                             !visit_of(maker, note_failing, NULL, query).can_fail);
}

// Of one that is a plain SELECT, apart from `aggregates`.
static bool can_take_apart(const struct subquery *subquery, bool aggregates)
{
    const struct query *query = subquery->query;
    return query->set_op == SET_NONE && query->n_ctes == 0 && query->n_groups == 0 &&
           query->having == NULL && query->limit == NULL && query->offset == NULL &&
           query->has_aggregates == aggregates && query->from != NULL &&
           from_can_stay(subquery->maker, query->from);
}

static void take_apart(struct subquery *subquery)
{
    struct exprs conditions = {0};
    subquery->tables = subquery->query->from;
    if (subquery->query->where != NULL)
        native_split_and(&conditions, subquery->query->where);
    for (size_t i = 0; i < conditions.n && !subquery_is_refused(subquery); i++)
        take_condition(subquery, conditions.items[i]);
    free(conditions.items);
}

struct from *subquery_leaf(struct native_maker *maker, struct query *query,
                           const struct schema *schema)
{
    struct arena *arena = &maker->plan->arena;
    struct from *leaf = arena_zalloc(arena, sizeof(*leaf));
    leaf->kind = FROM_QUERY;
    leaf->query = query;
    leaf->schema = *schema;
    leaf->label = str_of("#subquery"); // alone in its FROM
    return leaf;
}

// Reads it as it stands if it can, else takes it apart.
void subquery_take(struct subquery *subquery, bool aggregates)
{
    struct native_maker *maker = subquery->maker;
    struct query *query = (struct query *)(uintptr_t)subquery->query; // not written to
    subquery->is_whole = !visit_of(maker, note_outer, NULL, query).outer.is_used &&
                         !visit_of(maker, note_failing, NULL, query).can_fail;
    if (subquery->is_whole)
        subquery->tables = subquery_leaf(maker, query, &query->schema);
    else if (can_take_apart(subquery, aggregates))
        take_apart(subquery);
    else
        subquery_refuse(subquery,
                        "A subquery uses columns from outside, or may fail, and is "
                        "more than a SELECT with a WHERE.");
}

void subquery_release(struct subquery *subquery)
{
    free(subquery->inner.items);
    free(subquery->both.items);
}
