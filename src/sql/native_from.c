// SPDX-License-Identifier: Apache-2.0
// The FROM is walked from the stream outwards. The first table that is joined begins the
// tables' side; one that is joined by what tables give is joined there, in SQL. Every
// condition is one side's alone, and goes there, or is an equality of both, and becomes a
// key.
#include <stdlib.h>

#include "sql/bind.h"
#include "sql/compile.h"
#include "sql/native_maker.h"

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

// Sides.

struct sides {
    const struct from *stream;
    int reads;
};

static void note_side(struct expr *expr, void *arg)
{
    struct sides *sides = arg;
    if (expr->kind == EXPR_COLUMN)
        sides->reads |= expr->leaf == sides->stream ? READS_STREAM : READS_TABLES;
    if (expr->kind == EXPR_CALL && expr->function->call == time_now)
        sides->reads |= READS_STREAM; // the batch's
    expr_each(expr, note_side, sides);
}

int native_reads(const struct native_maker *maker, const struct expr *expr)
{
    struct sides sides = {.stream = maker->stream};
    // Reads only.
    note_side((struct expr *)(uintptr_t)expr, &sides);
    return sides.reads;
}

// Conditions.

static void split_and(struct exprs *conditions, const struct expr *expr)
{
    if (expr == NULL)
        return;
    if (expr->kind != EXPR_OP || expr->op != OP_AND) {
        exprs_add(conditions, expr);
        return;
    }
    for (size_t i = 0; i < expr->n_args; i++)
        split_and(conditions, expr->args[i]);
}

static void add_key(struct native_maker *maker, const struct expr *stream,
                    const struct expr *tables)
{
    if (maker->n_keys == KEYS_MAX) {
        native_refuse(maker, "The join compares too many columns.");
        return;
    }
    if (compile_can_fail(tables))
        native_refuse(maker,
                      "The join compares an expression over tables that may fail.");
    maker->keys[maker->n_keys++] = (struct key){stream, tables};
}

// An equality of both sides; anything else of both has no place in a hash join.
static void add_comparison(struct native_maker *maker, const struct expr *expr)
{
    if (expr->kind == EXPR_OP && expr->op == OP_EQ) {
        const struct expr *a = expr->args[0], *b = expr->args[1];
        int reads_a = native_reads(maker, a), reads_b = native_reads(maker, b);
        if (reads_a == READS_STREAM && reads_b == READS_TABLES)
            add_key(maker, a, b);
        else if (reads_a == READS_TABLES && reads_b == READS_STREAM)
            add_key(maker, b, a);
        else
            native_refuse(maker,
                          "A side of the join's equality reads both stream and tables.");
        return;
    }
    native_refuse(maker,
                  "The join has a condition over both stream and tables that is no "
                  "equality.");
}

static void add_where(struct native_maker *maker, const struct expr *where)
{
    struct exprs conditions = {0};
    split_and(&conditions, where);
    for (size_t i = 0; i < conditions.n; i++) {
        const struct expr *condition = conditions.items[i];
        int reads = native_reads(maker, condition);
        if (!compile_can(condition))
            native_refuse(maker, "The WHERE has a subquery.");
        else if (reads == (READS_STREAM | READS_TABLES))
            native_refuse(maker,
                          "The WHERE has a condition over both stream and tables.");
        else
            exprs_add(reads == READS_TABLES ? &maker->tables_filter
                                            : &maker->stream_filter,
                      condition);
    }
    free(conditions.items);
}

// Joins.

// The first table: its conditions are computed where the rows are.
static void begin_tables(struct native_maker *maker, struct from *tables, bool left,
                         const struct exprs *conditions)
{
    maker->tables = tables;
    maker->left = left;
    for (size_t i = 0; i < conditions->n; i++) {
        const struct expr *condition = conditions->items[i];
        int reads = native_reads(maker, condition);
        if (reads == (READS_STREAM | READS_TABLES))
            add_comparison(maker, condition);
        else if (reads == READS_TABLES)
            exprs_add(&maker->tables_match, condition);
        else
            exprs_add(left ? &maker->stream_match : &maker->stream_filter, condition);
    }
}

static bool is_equality(const struct expr *expr)
{
    return expr->kind == EXPR_OP && expr->op == OP_EQ;
}

static struct expr *all_of(struct native_maker *maker, const struct exprs *conditions)
{
    struct arena *arena = &maker->plan->arena;
    if (conditions->n == 0)
        return NULL;
    struct expr *all = arena_zalloc(arena, sizeof(*all));
    all->kind = EXPR_OP;
    all->op = OP_AND;
    all->type = TYPE_BOOLEAN;
    all->n_args = conditions->n;
    all->args = arena_array(arena, conditions->n, sizeof(*all->args));
    memcpy(all->args, conditions->items, conditions->n * sizeof(*all->args));
    return all;
}

// What tables that are inner joined give of a value of the stream: a key that is compared
// with it, and so equals it in every row. NULL: nothing.
static struct expr *tables_twin(struct native_maker *maker, const struct expr *expr)
{
    for (size_t i = 0; i < maker->n_keys && !maker->left; i++)
        if (expr_equal(maker->keys[i].stream, expr))
            return (struct expr *)(uintptr_t)maker->keys[i].tables;
    return NULL;
}

// Stream and tables compared, as tables compared: t.id = s.id where u.id = s.id is
// t.id = u.id. Else the condition itself.
static const struct expr *without_stream(struct native_maker *maker,
                                         const struct expr *condition)
{
    if (!is_equality(condition))
        return condition;
    struct expr *twins[2] = {tables_twin(maker, condition->args[0]),
                             tables_twin(maker, condition->args[1])};
    if (twins[0] == NULL && twins[1] == NULL)
        return condition;
    struct expr *copy = arena_zalloc(&maker->plan->arena, sizeof(*copy));
    *copy = *condition;
    copy->args = arena_array(&maker->plan->arena, 2, sizeof(*copy->args));
    for (size_t i = 0; i < 2; i++)
        copy->args[i] = twins[i] != NULL ? twins[i] : condition->args[i];
    return copy;
}

enum {
    READS_OLD = 1,
    READS_NEW = 2
};

struct tables_read {
    const struct from *new_tables;
    int reads;
};

static bool has_leaf(const struct from *from, const struct from *leaf)
{
    if (from->kind != FROM_JOIN)
        return from == leaf;
    return has_leaf(from->left, leaf) || has_leaf(from->right, leaf);
}

static void note_tables(struct expr *expr, void *arg)
{
    struct tables_read *read = arg;
    if (expr->kind == EXPR_COLUMN)
        read->reads |= has_leaf(read->new_tables, expr->leaf) ? READS_NEW : READS_OLD;
    expr_each(expr, note_tables, read);
}

// Whether an equality over tables compares the new ones with those before.
static bool is_link(const struct expr *condition, const struct from *new_tables)
{
    int reads = 0;
    for (size_t i = 0; i < condition->n_args; i++) {
        struct tables_read side = {.new_tables = new_tables};
        note_tables(condition->args[i], &side);
        if (side.reads != READS_OLD && side.reads != READS_NEW)
            return false;
        reads |= side.reads;
    }
    return is_equality(condition) && reads == (READS_OLD | READS_NEW);
}

// A condition of a further table; *ret_linked: it compares that with those before.
static void add_link(struct native_maker *maker, const struct from *tables, bool left,
                     const struct expr *condition, struct exprs *links, bool *ret_linked)
{
    condition = without_stream(maker, condition);
    int reads = native_reads(maker, condition);
    if ((reads & READS_STREAM) == 0) {
        if (compile_can_fail(condition))
            native_refuse(maker, "A condition between tables may fail.");
        *ret_linked |= is_link(condition, tables);
        exprs_add(links, condition);
    } else if (left) {
        native_refuse(
            maker, "A table beside the first is left joined by what the stream gives.");
    } else if (reads == READS_STREAM) {
        exprs_add(&maker->stream_filter, condition);
    } else {
        add_comparison(maker, condition);
    }
}

// A further table: joined to the others in SQL, where an error would end the job, and by
// an equality, since all that match each other come to lie in memory.
static void join_tables(struct native_maker *maker, struct from *tables, bool left,
                        const struct exprs *conditions)
{
    struct exprs links = {0};
    bool is_linked = false;
    for (size_t i = 0; i < conditions->n; i++)
        add_link(maker, tables, left, conditions->items[i], &links, &is_linked);
    if (!is_linked)
        native_refuse(maker,
                      "Two tables are joined with the stream, but not with each other.");
    struct from *both = arena_zalloc(&maker->plan->arena, sizeof(*both));
    both->kind = FROM_JOIN;
    both->join = left ? JOIN_LEFT : JOIN_INNER;
    both->left = maker->tables;
    both->right = tables;
    both->on = all_of(maker, &links);
    maker->tables = both;
    maker->left = maker->left && left;
    free(links.items);
}

static void take_join(struct native_maker *maker, struct from *tables, bool left,
                      const struct expr *on)
{
    struct exprs conditions = {0};
    split_and(&conditions, on);
    for (size_t i = 0; i < conditions.n; i++)
        if (!compile_can(conditions.items[i]))
            native_refuse(maker, "The join's condition has a subquery.");
    if (maker->why == NULL && maker->tables == NULL)
        begin_tables(maker, tables, left, &conditions);
    else if (maker->why == NULL)
        join_tables(maker, tables, left, &conditions);
    free(conditions.items);
}

// Tables that are joined before they meet the stream.
static void check_tables(struct native_maker *maker, const struct from *from)
{
    if (from->kind != FROM_JOIN)
        return;
    check_tables(maker, from->left);
    check_tables(maker, from->right);
    if (from->on != NULL && compile_can_fail(from->on))
        native_refuse(maker, "A condition between tables may fail.");
    struct exprs conditions = {0};
    bool is_linked = false;
    split_and(&conditions, from->on);
    for (size_t i = 0; i < conditions.n; i++)
        is_linked |= is_link(conditions.items[i], from->right);
    free(conditions.items);
    if (!is_linked)
        native_refuse(maker, "Tables are joined without an equality.");
}

static void find_stream(struct native_maker *maker, const struct from *from)
{
    while (from->kind == FROM_JOIN)
        from = from->left->reads_stream ? from->left : from->right;
    maker->stream = from;
    if (from->relation == NULL || !from->relation->is_stream)
        native_refuse(maker, "The stream is read through a view or a subquery.");
}

// From the stream outwards.
static void walk_from(struct native_maker *maker, const struct from *from)
{
    if (from->kind != FROM_JOIN)
        return;
    bool on_left = from->left->reads_stream;
    struct from *tables = on_left ? from->right : from->left;
    walk_from(maker, on_left ? from->left : from->right);
    check_tables(maker, tables);
    take_join(maker, tables, from->join != JOIN_INNER, from->on);
}

void native_take_from(struct native_maker *maker)
{
    find_stream(maker, maker->query->from);
    if (maker->why == NULL)
        walk_from(maker, maker->query->from);
    add_where(maker, maker->query->where);
}
