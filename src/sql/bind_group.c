// SPDX-License-Identifier: Apache-2.0
#include "sql/bind.h"

struct grouping {
    struct binder *binder;
    const struct query *query; // the grouped SELECT
    bool inner;                // inside a subquery of one of its expressions
};

static void check_expr(struct expr *expr, void *arg);

static bool is_group(const struct query *query, const struct expr *expr)
{
    for (size_t i = 0; i < query->n_groups; i++)
        if (expr_equal(query->groups[i], expr))
            return true;
    return false;
}

static void check_query(const struct grouping *outer, struct query *query);

static void check_leaf(struct from *leaf, void *arg)
{
    if (leaf->kind == FROM_QUERY)
        check_query(arg, leaf->query);
}

// A subquery may use columns of the grouped SELECT too.
static void check_query(const struct grouping *outer, struct query *query)
{
    struct grouping grouping = *outer;
    grouping.inner = true;
    for (size_t i = 0; i < query->n_ctes; i++)
        check_query(&grouping, query->ctes[i].query);
    if (query->set_op != SET_NONE) {
        check_query(&grouping, query->left);
        check_query(&grouping, query->right);
    }
    from_each_leaf(query->from, check_leaf, &grouping);
    query_each_expr(query, check_expr, &grouping);
}

static void not_grouped(const struct grouping *grouping, struct expr *expr)
{
    struct binder *binder = grouping->binder;
    expr->failed = true;
    report_error(binder->report, expr->at,
                 "column '%.*s' is neither in GROUP BY nor inside an aggregate",
                 STR_ARGS(expr->name));
    report_hint(binder->report, "add it to GROUP BY, or write min(%.*s)",
                STR_ARGS(expr->name));
}

static void check_expr(struct expr *expr, void *arg)
{
    const struct grouping *grouping = arg;
    if (expr->failed || is_group(grouping->query, expr))
        return;
    if (expr->kind == EXPR_COLUMN) {
        if (expr->leaf != NULL && expr->leaf->owner == grouping->query)
            not_grouped(grouping, expr);
        return;
    }
    bool aggregate = expr->kind == EXPR_CALL && expr->function != NULL &&
                     expr->function->kind == FUNCTION_AGGREGATE && expr->over == NULL;
    if (aggregate && !grouping->inner)
        return;
    expr_each(expr, check_expr, arg);
    if (expr->query != NULL)
        check_query(grouping, expr->query);
}

void bind_grouping(struct binder *binder, struct query *query)
{
    if (query->failed || (query->n_groups == 0 && !query->has_aggregates))
        return;
    struct grouping grouping = {.binder = binder, .query = query};
    for (size_t i = 0; i < query->n_outputs; i++)
        check_expr(query->outputs[i].expr, &grouping);
    if (query->having != NULL)
        check_expr(query->having, &grouping);
    for (size_t i = 0; i < query->n_orders; i++)
        if (query->orders[i].output == 0)
            check_expr(query->orders[i].expr, &grouping);
}
