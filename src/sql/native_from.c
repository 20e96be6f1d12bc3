// SPDX-License-Identifier: Apache-2.0
// A branch's FROM is walked from the stream outwards. Views and subqueries over the
// stream are taken apart: their tables and conditions become the branch's, and their
// columns what they stand for (native_side.c). A table is a join of its own, unless it is
// compared with the tables of one join: then it is joined there, in SQL (native_join.c).
//
// What does not fit (a condition or an output over both, a table that is compared with
// several) makes steps of the joins that it reads (native_step_instead).
#include <stdlib.h>

#include "sql/bind.h"
#include "sql/compile.h"
#include "sql/native_maker.h"
#include "sql/print.h"

static void add_where(struct native_maker *maker, const struct expr *where)
{
    struct exprs conditions;
    native_take_conditions(maker, where, &conditions);
    for (size_t i = 0; i < conditions.n && maker->why == NULL; i++) {
        const struct expr *condition = conditions.items[i];
        int reads = native_reads(maker, condition);
        if (reads == 0 || reads == READS_STREAM) {
            exprs_add(&maker->stream_filter, condition);
            continue;
        }
        if (!native_is_one_bit(reads))
            native_step_instead(maker, reads);
        for (size_t k = 0; k < maker->n_joins; k++)
            if (reads == reads_join(k))
                exprs_add(&maker->joins[k].filter, condition);
    }
    free(conditions.items);
}

// Whether an equality compares the tables of both sides.
static bool is_linked(struct native_maker *maker, const struct from *from)
{
    struct exprs conditions = {0};
    bool linked = false;
    maker->new_tables = from->right;
    if (from->on != NULL)
        native_split_and(&conditions, from->on);
    for (size_t i = 0; i < conditions.n; i++) {
        const struct expr *condition = conditions.items[i];
        if (!native_is_equality(condition))
            continue;
        int own = reads_join(maker->n_joins);
        int a = native_reads(maker, condition->args[0]);
        int b = native_reads(maker, condition->args[1]);
        linked |= (a == own && b != own && b != 0) || (b == own && a != own && a != 0);
    }
    maker->new_tables = NULL;
    free(conditions.items);
    return linked;
}

// Tables that are joined before they meet the stream: in SQL, when an equality links them
// and nothing can fail.
static bool can_join_in_sql(struct native_maker *maker, const struct from *from)
{
    if (from->kind != FROM_JOIN)
        return true;
    return can_join_in_sql(maker, from->left) && can_join_in_sql(maker, from->right) &&
           (from->on == NULL || !compile_can_fail(from->on)) && is_linked(maker, from);
}

// Whether it reads columns of a FROM.

struct question {
    const struct from *from;
    bool reads, reads_others;
};

static void ask_reads(struct expr *expr, void *arg)
{
    struct question *question = arg;
    if (expr->kind == EXPR_COLUMN) {
        bool reads = native_has_leaf(question->from, expr->leaf);
        question->reads |= reads;
        question->reads_others |= !reads;
    }
    expr_each(expr, ask_reads, question);
}

static bool reads_of(const struct expr *expr, const struct from *from)
{
    struct question question = {.from = from};
    ask_reads((struct expr *)(uintptr_t)expr, &question); // reads only
    return question.reads;
}

static bool reads_only(const struct expr *expr, const struct from *from)
{
    struct question question = {.from = from};
    ask_reads((struct expr *)(uintptr_t)expr, &question);
    return question.reads && !question.reads_others;
}

static bool links(const struct expr *condition, const struct from *tables,
                  const struct from *others)
{
    if (!compile_can(condition) || !native_is_equality(condition))
        return false;
    const struct expr *a = condition->args[0], *b = condition->args[1];
    return (reads_only(a, tables) && reads_only(b, others)) ||
           (reads_only(b, tables) && reads_only(a, others));
}

// Moves conditions that can be computed without some tables.
static void move_without(struct exprs *conditions, const struct from *tables,
                         struct exprs *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < conditions->n; i++) {
        const struct expr *condition = conditions->items[i];
        if (compile_can(condition) && !reads_of(condition, tables))
            exprs_add(ret, condition);
        else
            conditions->items[n++] = condition;
    }
    conditions->n = n;
}

// Joins tables by conditions. What cannot be joined in SQL is joined one by one.
static void take_tables(struct native_maker *maker, struct from *tables, bool left,
                        struct exprs *conditions)
{
    if (can_join_in_sql(maker, tables)) {
        native_take_join(maker, tables, left, native_all_of(maker, conditions));
        return;
    }
    if (left || tables->join != JOIN_INNER) {
        native_refuse(maker, "Tables are joined without an equality, or by what may "
                             "fail, in an outer join.");
        return;
    }
    struct exprs first = {0};
    if (tables->on != NULL)
        native_split_and(conditions, tables->on);
    move_without(conditions, tables->right, &first);
    take_tables(maker, tables->left, false, &first);
    take_tables(maker, tables->right, false, conditions);
    free(first.items);
}

// Moves what WHERE says of a join: equalities of its tables and the other side.
static void move_links(struct exprs *where, const struct from *tables,
                       const struct from *others, struct exprs *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < where->n; i++) {
        const struct expr *condition = where->items[i];
        if (links(condition, tables, others))
            exprs_add(ret, condition);
        else
            where->items[n++] = condition;
    }
    where->n = n;
}

// Branches.

size_t native_count_branches(const struct query *query)
{
    if (query->set_op != SET_NONE)
        return native_count_branches(query->left) + native_count_branches(query->right);
    const struct from *leaf = query->from;
    while (leaf->kind == FROM_JOIN)
        leaf = leaf->left->reads_stream ? leaf->left : leaf->right;
    const struct query *inner = print_in_place(leaf);
    return inner != NULL ? native_count_branches(inner) : 1;
}

static void take_query(struct native_maker *maker, const struct query *query,
                       size_t branch);

static void take_leaf(struct native_maker *maker, const struct from *leaf, size_t branch)
{
    const struct query *query = print_in_place(leaf);
    if (query == NULL) {
        maker->stream = leaf;
        maker->n_wide = leaf->schema.n;
        return;
    }
    take_query(maker, query, branch);
    MEM_GROW(maker->in_place, maker->n_in_place, maker->in_place_capacity);
    maker->in_place[maker->n_in_place++] = (struct in_place){leaf, maker->query};
}

// From the stream outwards. Takes from `where` what joins.
static void take_from(struct native_maker *maker, const struct from *from,
                      struct exprs *where, size_t branch)
{
    if (from->kind != FROM_JOIN) {
        take_leaf(maker, from, branch);
        return;
    }
    bool on_left = from->left->reads_stream, inner = from->join == JOIN_INNER;
    struct from *tables = on_left ? from->right : from->left;
    struct from *others = on_left ? from->left : from->right;
    struct exprs conditions = {0};
    take_from(maker, others, where, branch);
    if (from->on != NULL)
        native_split_and(&conditions, from->on);
    if (inner)
        move_links(where, tables, others, &conditions);
    take_tables(maker, tables, !inner, &conditions);
    free(conditions.items);
}

static void take_query(struct native_maker *maker, const struct query *query,
                       size_t branch)
{
    struct exprs where = {0};
    while (query->set_op != SET_NONE) {
        size_t n_left = native_count_branches(query->left);
        bool on_left = branch < n_left;
        branch -= on_left ? 0 : n_left;
        query = on_left ? query->left : query->right;
    }
    if (query->where != NULL)
        native_split_and(&where, query->where);
    take_from(maker, query->from, &where, branch);
    add_where(maker, native_all_of(maker, &where));
    maker->query = query;
    free(where.items);
}

void native_take_branch(struct native_maker *maker, const struct query *query,
                        size_t branch)
{
    take_query(maker, query, branch);
    for (size_t i = 0; i < maker->query->n_outputs; i++) {
        const struct expr *expr = maker->query->outputs[i].expr;
        exprs_add(&maker->outputs, native_resolve(maker, expr));
    }
}
