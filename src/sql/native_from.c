// SPDX-License-Identifier: Apache-2.0
// A branch's FROM is walked from the stream outwards. Views and subqueries over the
// stream are taken apart: their tables and conditions become the branch's, and their
// columns what they stand for. A table is a join of its own, unless it is compared with
// the tables of one join: then it is joined there, in SQL. Every condition is one side's
// alone, and goes there, or is an equality of the stream and a join, and becomes a key.
//
// What does not fit (a condition or an output over both, a table that is compared with
// several) makes steps of the joins that it reads (native_step_instead).
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

static void step_leaf(struct from *leaf, void *arg)
{
    struct native_maker *maker = arg;
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
static void take_conditions(struct native_maker *maker, const struct expr *expr,
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

static bool is_equality(const struct expr *expr)
{
    return expr->kind == EXPR_OP && expr->op == OP_EQ;
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
    int reads_a = is_equality(expr) ? native_reads(maker, a) : tables;
    int reads_b = is_equality(expr) ? native_reads(maker, b) : tables;
    if (reads_a == READS_STREAM && (reads_b & ~tables) == 0)
        add_key(maker, join, tables, a, b);
    else if (reads_b == READS_STREAM && (reads_a & ~tables) == 0)
        add_key(maker, join, tables, b, a);
    else
        native_step_instead(maker, tables);
}

static void add_where(struct native_maker *maker, const struct expr *where)
{
    struct exprs conditions;
    take_conditions(maker, where, &conditions);
    for (size_t i = 0; i < conditions.n && maker->why == NULL; i++) {
        const struct expr *condition = conditions.items[i];
        int reads = native_reads(maker, condition);
        if (reads == 0 || reads == READS_STREAM) {
            exprs_add(&maker->stream_filter, condition);
            continue;
        }
        if (!is_one_bit(reads))
            native_step_instead(maker, reads);
        for (size_t k = 0; k < maker->n_joins; k++)
            if (reads == reads_join(k))
                exprs_add(&maker->joins[k].filter, condition);
    }
    free(conditions.items);
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
        for (size_t k = 0; is_equality(condition) && k < 2; k++) {
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
        if (!is_equality(condition))
            continue;
        int a = native_reads(maker, condition->args[0]);
        int b = native_reads(maker, condition->args[1]);
        for (size_t k = 0; k < maker->n_joins; k++)
            if ((a | b) == (reads_join(k) | reads_join(maker->n_joins)) &&
                is_one_bit(a) && is_one_bit(b))
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
    take_conditions(maker, on, &conditions);
    if (left)
        step = native_add_step(maker, STEP_LEFT, maker->new_tables);
    for (size_t i = 0; i < conditions.n && maker->why == NULL; i++)
        native_step_condition(maker, step, conditions.items[i]);
    free(conditions.items);
}

static void take_join(struct native_maker *maker, struct from *tables, bool left,
                      const struct expr *on)
{
    struct exprs conditions = {0};
    maker->new_tables = tables;
    maker->new_is_left = left;
    if (maker->why == NULL && is_stepped(maker, tables)) {
        step_join(maker, on);
    } else if (maker->why == NULL) {
        take_conditions(maker, on, &conditions);
        size_t link = find_link(maker, &conditions);
        if (maker->why == NULL && link < maker->n_joins)
            extend_join(maker, link, left, &conditions);
        else if (maker->why == NULL)
            begin_join(maker, left, &conditions);
    }
    maker->new_tables = NULL;
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
        if (!is_equality(condition))
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
    if (!compile_can(condition) || !is_equality(condition))
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
        take_join(maker, tables, left, native_all_of(maker, conditions));
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
