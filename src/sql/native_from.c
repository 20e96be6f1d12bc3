// SPDX-License-Identifier: Apache-2.0
// A branch's FROM is walked from the stream outwards. Views and subqueries over the
// stream are taken apart: their tables and conditions become the branch's, and their
// columns what they stand for. A table is a join of its own, unless it is compared with
// the tables of one join: then it is joined there, in SQL. Every condition is one side's
// alone, and goes there, or is an equality of the stream and a join, and becomes a key.
#include <stdlib.h>

#include "sql/bind.h"
#include "sql/compile.h"
#include "sql/native_maker.h"
#include "sql/print.h"

void native_refuse(struct native_maker *maker, const char *why)
{
    if (maker->why == NULL)
        maker->why = why;
}

void exprs_add(struct exprs *exprs, const struct expr *expr)
{
    MEM_GROW(exprs->items, exprs->n, exprs->capacity);
    exprs->items[exprs->n++] = expr;
}

// What is read.

struct reads {
    const struct native_maker *maker;
    const struct from *new_tables; // about to be joined: the join after the last
    int reads;
};

static bool has_leaf(const struct from *from, const struct from *leaf)
{
    if (from->kind != FROM_JOIN)
        return from == leaf;
    return has_leaf(from->left, leaf) || has_leaf(from->right, leaf);
}

static int reads_of_leaf(const struct reads *reads, const struct from *leaf)
{
    const struct native_maker *maker = reads->maker;
    for (size_t i = 0; i < maker->n_joins; i++)
        if (has_leaf(maker->joins[i].tables, leaf))
            return reads_join(i);
    if (reads->new_tables != NULL && has_leaf(reads->new_tables, leaf))
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

static int reads_with(const struct native_maker *maker, const struct from *new_tables,
                      const struct expr *expr)
{
    struct reads reads = {.maker = maker, .new_tables = new_tables};
    // Reads only.
    note_reads((struct expr *)(uintptr_t)expr, &reads);
    return reads.reads;
}

int native_reads(const struct native_maker *maker, const struct expr *expr)
{
    return reads_with(maker, NULL, expr);
}

static bool is_one_bit(int bits)
{
    return bits != 0 && (bits & (bits - 1)) == 0;
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

// The same over stream and tables.
static struct expr *resolve(struct native_maker *maker, const struct expr *expr)
{
    struct arena *arena = &maker->plan->arena;
    if (expr->kind == EXPR_COLUMN) {
        const struct query *query = query_of(maker, expr->leaf);
        return query == NULL ? (struct expr *)(uintptr_t)expr
                             : resolve(maker, query->outputs[expr->column].expr);
    }
    struct expr *copy = arena_zalloc(arena, sizeof(*copy));
    *copy = *expr;
    copy->args = arena_array(arena, expr->n_args + 1, sizeof(*copy->args));
    for (size_t i = 0; i < expr->n_args; i++)
        copy->args[i] = resolve(maker, expr->args[i]);
    if (expr->subject != NULL)
        copy->subject = resolve(maker, expr->subject);
    return copy;
}

// Conditions.

static void split_and(struct exprs *conditions, const struct expr *expr)
{
    if (expr->kind != EXPR_OP || expr->op != OP_AND) {
        exprs_add(conditions, expr);
        return;
    }
    for (size_t i = 0; i < expr->n_args; i++)
        split_and(conditions, expr->args[i]);
}

// Those that must all be true, over stream and tables.
static void take_conditions(struct native_maker *maker, const struct expr *expr,
                            const char *why_not, struct exprs *ret)
{
    *ret = (struct exprs){0};
    if (expr == NULL)
        return;
    const struct expr *resolved = resolve(maker, expr);
    if (!compile_can(resolved))
        native_refuse(maker, why_not);
    else
        split_and(ret, resolved);
}

static bool is_equality(const struct expr *expr)
{
    return expr->kind == EXPR_OP && expr->op == OP_EQ;
}

static void add_key(struct native_maker *maker, struct join_maker *join,
                    const struct expr *stream, const struct expr *tables)
{
    if (join->n_keys == KEYS_MAX) {
        native_refuse(maker, "The join compares too many columns.");
        return;
    }
    if (compile_can_fail(tables))
        native_refuse(maker,
                      "The join compares an expression over tables that may fail.");
    join->keys[join->n_keys++] = (struct key){stream, tables};
}

// A condition over the stream and one join; `tables` are what it may read of those.
static void add_comparison(struct native_maker *maker, struct join_maker *join,
                           const struct from *new_tables, int tables,
                           const struct expr *expr)
{
    if (!is_equality(expr)) {
        native_refuse(maker, "The join has a condition over both stream and tables that "
                             "is no equality.");
        return;
    }
    const struct expr *a = expr->args[0], *b = expr->args[1];
    int reads_a = reads_with(maker, new_tables, a);
    int reads_b = reads_with(maker, new_tables, b);
    if (reads_a == READS_STREAM && (reads_b & ~tables) == 0)
        add_key(maker, join, a, b);
    else if (reads_b == READS_STREAM && (reads_a & ~tables) == 0)
        add_key(maker, join, b, a);
    else
        native_refuse(maker,
                      "A side of the join's equality reads both stream and tables.");
}

static void add_where(struct native_maker *maker, const struct expr *where)
{
    struct exprs conditions;
    take_conditions(maker, where, "The WHERE has a subquery.", &conditions);
    for (size_t i = 0; i < conditions.n; i++) {
        const struct expr *condition = conditions.items[i];
        int reads = native_reads(maker, condition);
        if (reads == 0 || reads == READS_STREAM) {
            exprs_add(&maker->stream_filter, condition);
            continue;
        }
        if (!is_one_bit(reads))
            native_refuse(maker, (reads & READS_STREAM) != 0
                                     ? "The WHERE has a condition over both stream and "
                                       "tables."
                                     : "The WHERE compares tables that are not joined "
                                       "with each other.");
        for (size_t k = 0; k < maker->n_joins; k++)
            if (reads == reads_join(k))
                exprs_add(&maker->joins[k].filter, condition);
    }
    free(conditions.items);
}

// Joins.

// A join of its own: its conditions are computed where the rows are.
static void begin_join(struct native_maker *maker, struct from *tables, bool left,
                       const struct exprs *conditions)
{
    if (maker->n_joins == JOINS_MAX) {
        native_refuse(maker, "More than 8 tables are joined, each by itself.");
        return;
    }
    struct join_maker *join = &maker->joins[maker->n_joins];
    int own = reads_join(maker->n_joins);
    *join = (struct join_maker){.tables = tables, .left = left};
    for (size_t i = 0; i < conditions->n; i++) {
        const struct expr *condition = conditions->items[i];
        int reads = reads_with(maker, tables, condition);
        if (reads == own)
            exprs_add(&join->match, condition);
        else if (reads == 0 || reads == READS_STREAM)
            exprs_add(left ? &join->stream_match : &maker->stream_filter, condition);
        else if (reads == (READS_STREAM | own))
            add_comparison(maker, join, tables, own, condition);
        else
            native_refuse(maker, "A join compares tables in another way than by one "
                                 "equality.");
    }
    maker->n_joins++;
}

static struct expr *all_of(struct native_maker *maker, const struct exprs *conditions)
{
    struct arena *arena = &maker->plan->arena;
    struct expr *all = arena_zalloc(arena, sizeof(*all));
    all->kind = EXPR_OP;
    all->op = OP_AND;
    all->type = TYPE_BOOLEAN;
    all->n_args = conditions->n;
    all->args = arena_array(arena, conditions->n, sizeof(*all->args));
    memcpy(all->args, conditions->items, conditions->n * sizeof(*all->args));
    return all;
}

static bool share_label(const struct from *a, const struct from *b)
{
    if (a->kind == FROM_JOIN)
        return share_label(a->left, b) || share_label(a->right, b);
    if (b->kind == FROM_JOIN)
        return share_label(a, b->left) || share_label(a, b->right);
    return str_eq(a->label, b->label);
}

// Whether some equality is false for a row of NULLs: of a column of the join's.
static bool rejects_nulls(const struct native_maker *maker, size_t at,
                          const struct from *tables, const struct exprs *conditions)
{
    for (size_t i = 0; i < conditions->n; i++) {
        const struct expr *condition = conditions->items[i];
        for (size_t k = 0; is_equality(condition) && k < 2; k++) {
            const struct expr *side = condition->args[k];
            if (side->kind == EXPR_COLUMN &&
                reads_with(maker, tables, side) == reads_join(at))
                return true;
        }
    }
    return false;
}

// Joins a table to those of a join, in SQL, where an error would end the job. A record
// that those do not match has NULLs there: the table must not match them.
static void extend_join(struct native_maker *maker, size_t at, struct from *tables,
                        bool left, const struct exprs *conditions)
{
    struct join_maker *join = &maker->joins[at];
    struct exprs links = {0};
    int new_bit = reads_join(maker->n_joins), both = reads_join(at) | new_bit;
    if (share_label(join->tables, tables))
        native_refuse(maker, "Tables of one name are joined in a view and outside.");
    if (join->left && !rejects_nulls(maker, at, tables, conditions))
        native_refuse(maker, "A table is compared with an expression over one that is "
                             "left joined.");
    for (size_t i = 0; i < conditions->n; i++) {
        const struct expr *condition = conditions->items[i];
        int reads = reads_with(maker, tables, condition);
        if (reads != 0 && (reads & ~both) == 0) {
            if (compile_can_fail(condition))
                native_refuse(maker, "A condition between tables may fail.");
            exprs_add(&links, condition);
        } else if (left) {
            native_refuse(maker, "A table is left joined by what both stream and tables "
                                 "give.");
        } else if (reads == 0 || reads == READS_STREAM) {
            exprs_add(&maker->stream_filter, condition);
        } else {
            add_comparison(maker, join, tables, both, condition);
        }
    }
    struct from *joined = arena_zalloc(&maker->plan->arena, sizeof(*joined));
    joined->kind = FROM_JOIN;
    joined->join = left ? JOIN_LEFT : JOIN_INNER;
    joined->left = join->tables;
    joined->right = tables;
    joined->on = all_of(maker, &links);
    join->tables = joined;
    join->left = join->left && left;
    free(links.items);
}

// The join whose tables the new ones are compared with; n_joins: none.
static size_t find_link(const struct native_maker *maker, const struct from *tables,
                        const struct exprs *conditions)
{
    for (size_t i = 0; i < conditions->n; i++) {
        const struct expr *condition = conditions->items[i];
        if (!is_equality(condition))
            continue;
        int a = reads_with(maker, tables, condition->args[0]);
        int b = reads_with(maker, tables, condition->args[1]);
        for (size_t k = 0; k < maker->n_joins; k++)
            if ((a | b) == (reads_join(k) | reads_join(maker->n_joins)) &&
                is_one_bit(a) && is_one_bit(b))
                return k;
    }
    return maker->n_joins;
}

static void take_join(struct native_maker *maker, struct from *tables, bool left,
                      const struct expr *on)
{
    struct exprs conditions;
    take_conditions(maker, on, "The join's condition has a subquery.", &conditions);
    if (maker->why == NULL) {
        size_t link = find_link(maker, tables, &conditions);
        if (link < maker->n_joins)
            extend_join(maker, link, tables, left, &conditions);
        else
            begin_join(maker, tables, left, &conditions);
    }
    free(conditions.items);
}

// Whether an equality compares the tables of both sides.
static bool is_linked(const struct native_maker *maker, const struct from *from)
{
    struct exprs conditions = {0};
    bool linked = false;
    if (from->on != NULL)
        split_and(&conditions, from->on);
    for (size_t i = 0; i < conditions.n; i++) {
        const struct expr *condition = conditions.items[i];
        if (!is_equality(condition))
            continue;
        int own = reads_join(maker->n_joins);
        int a = reads_with(maker, from->right, condition->args[0]);
        int b = reads_with(maker, from->right, condition->args[1]);
        linked |= (a == own && b != own && b != 0) || (b == own && a != own && a != 0);
    }
    free(conditions.items);
    return linked;
}

// Tables that are joined before they meet the stream: in SQL.
static void check_tables(struct native_maker *maker, const struct from *from)
{
    if (from->kind != FROM_JOIN)
        return;
    check_tables(maker, from->left);
    check_tables(maker, from->right);
    if (from->on != NULL && compile_can_fail(from->on))
        native_refuse(maker, "A condition between tables may fail.");
    else if (!is_linked(maker, from))
        native_refuse(maker, "Tables are joined without an equality.");
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
        return;
    }
    take_query(maker, query, branch);
    MEM_GROW(maker->in_place, maker->n_in_place, maker->in_place_capacity);
    maker->in_place[maker->n_in_place++] = (struct in_place){leaf, maker->query};
}

// From the stream outwards.
static void take_from(struct native_maker *maker, const struct from *from, size_t branch)
{
    if (from->kind != FROM_JOIN) {
        take_leaf(maker, from, branch);
        return;
    }
    bool on_left = from->left->reads_stream;
    struct from *tables = on_left ? from->right : from->left;
    take_from(maker, on_left ? from->left : from->right, branch);
    check_tables(maker, tables);
    take_join(maker, tables, from->join != JOIN_INNER, from->on);
}

static void take_query(struct native_maker *maker, const struct query *query,
                       size_t branch)
{
    while (query->set_op != SET_NONE) {
        size_t n_left = native_count_branches(query->left);
        bool on_left = branch < n_left;
        branch -= on_left ? 0 : n_left;
        query = on_left ? query->left : query->right;
    }
    take_from(maker, query->from, branch);
    add_where(maker, query->where);
    maker->query = query;
}

void native_take_branch(struct native_maker *maker, const struct query *query,
                        size_t branch)
{
    take_query(maker, query, branch);
    for (size_t i = 0; i < maker->query->n_outputs; i++) {
        const struct expr *expr = resolve(maker, maker->query->outputs[i].expr);
        if (compile_can(expr))
            exprs_add(&maker->outputs, expr);
        else
            native_refuse(maker, "An output has a subquery.");
    }
}
