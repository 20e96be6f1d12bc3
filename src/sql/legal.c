// SPDX-License-Identifier: Apache-2.0
#include "sql/legal.h"

#include "sql/catalog.h"
#include "sql/functions.h"
#include "sql/walk.h"

static const char why[] = "the result over a split stream must be the sum of the parts";

static void illegal(struct report *report, size_t at, const char *what,
                    const char *instead)
{
    report_error(report, at, "%s: %s", what, why);
    report_hint(report, "%s", instead);
}

// now() in tables.

static void find_now(struct expr *expr, void *arg);

static void find_now_in(struct report *report, struct query *query);

static void find_now_in_leaf(struct from *leaf, void *arg)
{
    if (leaf->kind == FROM_QUERY)
        find_now_in(arg, leaf->query);
}

static void find_now_in(struct report *report, struct query *query)
{
    for (size_t i = 0; i < query->n_ctes; i++)
        find_now_in(report, query->ctes[i].query);
    if (query->set_op != SET_NONE) {
        find_now_in(report, query->left);
        find_now_in(report, query->right);
    }
    from_each_leaf(query->from, find_now_in_leaf, report);
    query_each_expr(query, find_now, report);
}

static void find_now(struct expr *expr, void *arg)
{
    struct report *report = arg;
    if (expr->kind == EXPR_CALL && expr->function != NULL &&
        strcmp(expr->function->name, "now") == 0) {
        report_error(report, expr->at,
                     "now() in a query over tables, which is computed once");
        report_hint(report, "now() is a batch's time: write it where the stream is read");
    }
    if (expr->query != NULL)
        find_now_in(report, expr->query);
    expr_each(expr, find_now, arg);
}

void legal_table_query(struct report *report, struct query *query)
{
    find_now_in(report, query);
}

// Expressions on the way of the stream.

static void check_expr(struct expr *expr, void *arg)
{
    struct report *report = arg;
    if (expr->query != NULL && expr->query->reads_stream)
        illegal(report, expr->query->at, "a subquery over the stream in an expression",
                "the stream stands in FROM only: join it with tables");
    if (expr->over != NULL)
        illegal(report, expr->at, "a window function over the stream",
                "compute it over the tables in a view, then join that");
    expr_each(expr, check_expr, arg);
}

// The way from the stream to the top.

static void check_query(struct report *report, struct query *query);

static void check_leaf(struct report *report, const struct from *leaf)
{
    struct query *query = leaf->query;
    if (leaf->relation != NULL)
        query = leaf->relation->query;
    if (leaf->cte != NULL)
        query = leaf->cte->query;
    if (query == NULL)
        return; // a table, or the stream itself
    if (leaf->reads_stream)
        check_query(report, query);
    else if (leaf->relation == NULL)
        legal_table_query(report, query);
}

static void check_join(struct report *report, const struct from *join)
{
    bool left = join->left->reads_stream, right = join->right->reads_stream;
    if (left && right)
        illegal(report, join->right->at, "a join of the stream with itself",
                "name the stream once in each FROM");
    else if ((join->join == JOIN_LEFT && right) || (join->join == JOIN_RIGHT && left))
        illegal(report, join->right->at, "an outer join that keeps the table's rows",
                "keep the stream's rows: write stream LEFT JOIN table");
}

static void check_from(struct report *report, const struct from *from)
{
    if (from->kind != FROM_JOIN) {
        check_leaf(report, from);
        return;
    }
    check_from(report, from->left);
    check_from(report, from->right);
    check_join(report, from);
}

static void check_clauses(struct report *report, struct query *query)
{
    if (query->n_groups > 0)
        illegal(report, query->groups[0]->at, "GROUP BY over the stream",
                "group the tables in a view and join that, or group the result later");
    else if (query->has_aggregates)
        illegal(report, query->at, "an aggregate over the stream",
                "aggregate the tables in a view and join that, or aggregate the result "
                "later");
    if (query->having != NULL)
        illegal(report, query->having->at, "HAVING over the stream", "write WHERE");
    if (query->distinct)
        illegal(report, query->distinct_at, "DISTINCT over the stream",
                "take the distinct rows of the tables in a view, or of the result later");
}

static void check_tail(struct report *report, const struct query *query)
{
    if (query->n_orders > 0)
        illegal(report, query->orders[0].expr->at, "ORDER BY over the stream",
                "leave it out: the result has no order");
    const struct expr *limit = query->limit ? query->limit : query->offset;
    if (limit != NULL)
        illegal(report, limit->at, "LIMIT or OFFSET over the stream", "write WHERE");
}

static void check_set(struct report *report, struct query *query)
{
    static const char *const names[] = {
        [SET_UNION] = "UNION over the stream",
        [SET_EXCEPT] = "EXCEPT over the stream",
        [SET_INTERSECT] = "INTERSECT over the stream",
    };
    if (query->set_op != SET_UNION_ALL)
        illegal(report, query->right->at, names[query->set_op],
                query->set_op == SET_UNION ? "write UNION ALL"
                                           : "write WHERE [NOT] EXISTS (SELECT ...)");
    struct query *branches[] = {query->left, query->right};
    for (size_t i = 0; i < ARRAY_LEN(branches); i++) {
        if (branches[i]->reads_stream)
            check_query(report, branches[i]);
        else if (query->set_op == SET_UNION_ALL)
            illegal(report, branches[i]->at, "a branch of UNION ALL without the stream",
                    "its rows would come once a batch: read the stream in each branch");
    }
}

static void check_query(struct report *report, struct query *query)
{
    check_tail(report, query);
    if (query->set_op != SET_NONE) {
        check_set(report, query);
        return;
    }
    check_clauses(report, query);
    query_each_expr(query, check_expr, report);
    if (query->from != NULL)
        check_from(report, query->from);
}

void legal_stream_query(struct report *report, struct query *query)
{
    check_query(report, query);
}
