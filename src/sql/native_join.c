// SPDX-License-Identifier: Apache-2.0
// How tables are joined with what is there: by keys of their own, in SQL to the tables of
// a join that they are compared with, or as a step. Every condition is one side's alone,
// and goes there, or is an equality of the stream and a join, and becomes a key.
#include <stdlib.h>

#include "sql/bind.h"
#include "sql/compile.h"
#include "sql/native_maker.h"

static void ask_stepped(struct from *leaf, void *arg)
{
    struct native_maker *maker = *(struct native_maker **)arg;
    for (size_t i = 0; maker != NULL && i < maker->n_stepped; i++)
        if (maker->stepped[i] == leaf)
            *(struct native_maker **)arg = NULL;
}

static bool is_stepped(struct native_maker *maker, struct from *tables)
{
    from_each_leaf(tables, ask_stepped, &maker);
    return maker == NULL;
}

static void add_key(struct native_maker *maker, struct join_maker *join, int reads,
                    const struct expr *stream, const struct expr *tables)
{
    if (join->n_keys == KEYS_MAX || compile_can_fail(tables))
        native_step_instead(maker, reads);
    else
        join->keys[join->n_keys++] = (struct key){stream, tables};
}

// A condition over the stream and one join; `tables` are what it may read of those.
static void add_comparison(struct native_maker *maker, struct join_maker *join,
                           int tables, const struct expr *expr)
{
    const struct expr *a = expr->args[0], *b = expr->args[1];
    int reads_a = native_is_equality(expr) ? native_reads(maker, a) : tables;
    int reads_b = native_is_equality(expr) ? native_reads(maker, b) : tables;
    if (reads_a == READS_STREAM && (reads_b & ~tables) == 0)
        add_key(maker, join, tables, a, b);
    else if (reads_b == READS_STREAM && (reads_a & ~tables) == 0)
        add_key(maker, join, tables, b, a);
    else
        native_step_instead(maker, tables);
}

// Joins.

// A join of its own: its conditions are computed where the rows are.
static void begin_join(struct native_maker *maker, bool left,
                       const struct exprs *conditions)
{
    int own = reads_join(maker->n_joins);
    if (maker->n_joins == JOINS_MAX) {
        native_step_instead(maker, own);
        return;
    }
    struct join_maker *join = &maker->joins[maker->n_joins];
    *join = (struct join_maker){.tables = maker->new_tables, .left = left};
    for (size_t i = 0; i < conditions->n && maker->why == NULL; i++) {
        const struct expr *condition = conditions->items[i];
        int reads = native_reads(maker, condition);
        if (reads == own)
            exprs_add(&join->match, condition);
        else if (reads == 0 || reads == READS_STREAM)
            exprs_add(left ? &join->stream_match : &maker->stream_filter, condition);
        else if (reads == (READS_STREAM | own))
            add_comparison(maker, join, own, condition);
        else
            native_step_instead(maker, reads);
    }
    maker->n_joins++; // also of what was refused: it has something to release
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
                          const struct exprs *conditions)
{
    for (size_t i = 0; i < conditions->n; i++) {
        const struct expr *condition = conditions->items[i];
        for (size_t k = 0; native_is_equality(condition) && k < 2; k++) {
            const struct expr *side = condition->args[k];
            if (side->kind == EXPR_COLUMN && native_reads(maker, side) == reads_join(at))
                return true;
        }
    }
    return false;
}

// Whether the table can be joined to those of a join in SQL, where an error would end the
// job. A record that those do not match has NULLs there: the table must not match them.
static bool can_extend(struct native_maker *maker, size_t at, bool left,
                       const struct exprs *conditions)
{
    const struct join_maker *join = &maker->joins[at];
    int new_bit = reads_join(maker->n_joins), both = reads_join(at) | new_bit;
    bool can = !share_label(join->tables, maker->new_tables) &&
               (!join->left || rejects_nulls(maker, at, conditions));
    for (size_t i = 0; i < conditions->n; i++) {
        int reads = native_reads(maker, conditions->items[i]);
        if (reads != 0 && (reads & ~both) == 0)
            can = can && !compile_can_fail(conditions->items[i]);
        else
            can = can && !left;
    }
    return can;
}

static void extend_join(struct native_maker *maker, size_t at, bool left,
                        const struct exprs *conditions)
{
    struct join_maker *join = &maker->joins[at];
    struct exprs links = {0};
    int new_bit = reads_join(maker->n_joins), both = reads_join(at) | new_bit;
    if (!can_extend(maker, at, left, conditions)) {
        native_step_instead(maker, both);
        return;
    }
    for (size_t i = 0; i < conditions->n && maker->why == NULL; i++) {
        const struct expr *condition = conditions->items[i];
        int reads = native_reads(maker, condition);
        if (reads != 0 && (reads & ~both) == 0)
            exprs_add(&links, condition);
        else if (reads == 0 || reads == READS_STREAM)
            exprs_add(&maker->stream_filter, condition);
        else if ((reads & ~(both | READS_STREAM)) == 0)
            add_comparison(maker, join, both, condition);
        else
            native_step_instead(maker, reads);
    }
    struct from *joined = arena_zalloc(&maker->plan->arena, sizeof(*joined));
    joined->kind = FROM_JOIN;
    joined->join = left ? JOIN_LEFT : JOIN_INNER;
    joined->left = join->tables;
    joined->right = maker->new_tables;
    joined->on = native_all_of(maker, &links);
    join->tables = joined;
    join->left = join->left && left;
    free(links.items);
}

// The join whose tables the new ones are compared with; n_joins: none.
static size_t find_link(const struct native_maker *maker, const struct exprs *conditions)
{
    for (size_t i = 0; i < conditions->n; i++) {
        const struct expr *condition = conditions->items[i];
        if (!native_is_equality(condition))
            continue;
        int a = native_reads(maker, condition->args[0]);
        int b = native_reads(maker, condition->args[1]);
        for (size_t k = 0; k < maker->n_joins; k++)
            if ((a | b) == (reads_join(k) | reads_join(maker->n_joins)) &&
                native_is_one_bit(a) && native_is_one_bit(b))
                return k;
    }
    return maker->n_joins;
}

static void step_join(struct native_maker *maker, const struct expr *on)
{
    struct exprs conditions = {0};
    bool left = maker->new_is_left;
    struct step_maker *step = NULL;
    if (!left) {
        step = native_add_step(maker, STEP_INNER, maker->new_tables);
        maker->new_tables = NULL; // they count as the stream's from here on
    }
    native_take_conditions(maker, on, &conditions);
    if (left)
        step = native_add_step(maker, STEP_LEFT, maker->new_tables);
    for (size_t i = 0; i < conditions.n && maker->why == NULL; i++)
        native_step_condition(maker, step, conditions.items[i]);
    free(conditions.items);
}

void native_take_join(struct native_maker *maker, struct from *tables, bool left,
                      const struct expr *on)
{
    struct exprs conditions = {0};
    maker->new_tables = tables;
    maker->new_is_left = left;
    if (maker->why == NULL && is_stepped(maker, tables)) {
        step_join(maker, on);
    } else if (maker->why == NULL) {
        native_take_conditions(maker, on, &conditions);
        size_t link = find_link(maker, &conditions);
        if (maker->why == NULL && link < maker->n_joins)
            extend_join(maker, link, left, &conditions);
        else if (maker->why == NULL)
            begin_join(maker, left, &conditions);
    }
    maker->new_tables = NULL;
    free(conditions.items);
}
