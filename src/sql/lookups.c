// SPDX-License-Identifier: Apache-2.0
// What the stream's query looks up in tables, and by which column of the stream.
#include "base/mem.h"

#include <stdlib.h>

#include "sql/catalog.h"
#include "sql/native.h"
#include "sql/walk.h"

struct search {
    struct plan *plan;
    struct lookup *lookups;
    size_t n, capacity;
};

static const struct query *query_of(const struct from *leaf)
{
    if (leaf->cte != NULL)
        return leaf->cte->query;
    if (leaf->relation != NULL)
        return leaf->relation->query;
    return leaf->query;
}

// The stream's column that an expression hands on as it is; p == NULL: none.
static struct str stream_column(const struct expr *expr)
{
    if (expr->kind != EXPR_COLUMN || !expr->leaf->reads_stream)
        return (struct str){0};
    const struct query *query = query_of(expr->leaf);
    if (query == NULL)
        return expr->leaf->relation->schema.columns[expr->column].name;
    while (query->set_op != SET_NONE)
        query = query->left;
    return stream_column(query->outputs[expr->column].expr);
}

static const struct relation *table_of(const struct expr *expr)
{
    if (expr->kind != EXPR_COLUMN || expr->leaf->reads_stream)
        return NULL;
    return expr->leaf->cte != NULL ? expr->leaf->cte->hoisted : expr->leaf->relation;
}

static void add(struct search *search, const struct relation *relation, size_t column)
{
    struct str name = relation->schema.columns[column].name;
    for (size_t i = 0; i < search->n; i++)
        if (str_eq(search->lookups[i].relation, relation->name) &&
            str_eq(search->lookups[i].column, name))
            return;
    MEM_GROW(search->lookups, search->n, search->capacity);
    search->lookups[search->n++] = (struct lookup){relation->name, name};
}

static void search_equality(struct search *search, const struct expr *expr)
{
    for (size_t i = 0; i < 2; i++) {
        const struct expr *side = expr->args[i], *other = expr->args[1 - i];
        const struct relation *relation = table_of(side);
        if (relation != NULL && other->kind != EXPR_CONST)
            add(search, relation, side->column);
        if (search->plan->join_column.n == 0 && !(table_of(other) == NULL))
            search->plan->join_column = stream_column(side);
    }
}

static void search_query(struct search *search, struct query *query);

static void search_expr(struct expr *expr, void *arg)
{
    struct search *search = arg;
    if (expr->kind == EXPR_OP && expr->op == OP_EQ)
        search_equality(search, expr);
    if (expr->query != NULL) {
        search_query(search, expr->query);
        const struct query *query = expr->query;
        const struct expr *output = query->n_outputs > 0 ? query->outputs[0].expr : NULL;
        if (expr->kind == EXPR_IN && output != NULL && table_of(output) != NULL)
            add(search, table_of(output), output->column);
    }
    expr_each(expr, search_expr, arg);
}

static void search_leaf(struct from *leaf, void *arg)
{
    const struct query *query = query_of(leaf);
    bool in_place =
        leaf->reads_stream || (leaf->kind == FROM_QUERY && leaf->relation == NULL);
    if (query != NULL && in_place)
        search_query(arg, (struct query *)(uintptr_t)query);
}

static void search_query(struct search *search, struct query *query)
{
    if (query->set_op != SET_NONE) {
        search_query(search, query->left);
        search_query(search, query->right);
        return;
    }
    query_each_expr(query, search_expr, search);
    from_each_leaf(query->from, search_leaf, search);
}

void native_lookups_make(struct plan *plan, struct query *query)
{
    struct search search = {.plan = plan};
    search_query(&search, query);
    struct lookup *lookups = arena_array(&plan->arena, search.n + 1, sizeof(*lookups));
    if (search.n > 0)
        memcpy(lookups, search.lookups, search.n * sizeof(*lookups));
    free(search.lookups);
    plan->lookups = lookups;
    plan->n_lookups = search.n;
}
