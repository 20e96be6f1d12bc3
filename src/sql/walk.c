// SPDX-License-Identifier: Apache-2.0
#include "sql/walk.h"

void expr_each(struct expr *expr, void (*visit)(struct expr *child, void *arg), void *arg)
{
    if (expr->subject != NULL)
        visit(expr->subject, arg);
    for (size_t i = 0; i < expr->n_args; i++)
        visit(expr->args[i], arg);
    if (expr->filter != NULL)
        visit(expr->filter, arg);
    if (expr->over == NULL)
        return;
    for (size_t i = 0; i < expr->over->n_partitions; i++)
        visit(expr->over->partitions[i], arg);
    for (size_t i = 0; i < expr->over->n_orders; i++)
        visit(expr->over->orders[i].expr, arg);
}

static void on_each(struct from *from, void (*visit)(struct expr *expr, void *arg),
                    void *arg)
{
    if (from == NULL || from->kind != FROM_JOIN)
        return;
    on_each(from->left, visit, arg);
    on_each(from->right, visit, arg);
    if (from->on != NULL)
        visit(from->on, arg);
}

void query_each_expr(struct query *query, void (*visit)(struct expr *expr, void *arg),
                     void *arg)
{
    if (query->set_op != SET_NONE)
        return;
    for (size_t i = 0; i < query->n_outputs; i++)
        visit(query->outputs[i].expr, arg);
    on_each(query->from, visit, arg);
    if (query->where != NULL)
        visit(query->where, arg);
    for (size_t i = 0; i < query->n_groups; i++)
        visit(query->groups[i], arg);
    if (query->having != NULL)
        visit(query->having, arg);
    for (size_t i = 0; i < query->n_orders; i++)
        if (query->orders[i].output == 0)
            visit(query->orders[i].expr, arg);
}

void from_each_leaf(struct from *from, void (*visit)(struct from *leaf, void *arg),
                    void *arg)
{
    if (from == NULL)
        return;
    if (from->kind != FROM_JOIN) {
        visit(from, arg);
        return;
    }
    from_each_leaf(from->left, visit, arg);
    from_each_leaf(from->right, visit, arg);
}
