// SPDX-License-Identifier: Apache-2.0
// Views, subqueries and WITH queries over tables are taken apart: their sources and
// conditions become the query's, and their columns what they stand for. What stands
// behind a left join stays together: it is a scan, with a query of its own if need be.
#include <stdlib.h>

#include "sql/bind.h"
#include "sql/compile.h"
#include "sql/table_maker.h"

void table_refuse(struct table_maker *maker, const char *why)
{
    if (maker->why == NULL)
        maker->why = why;
}

// Counts what is looked at. False: it is refused.
static bool goes_on(struct table_maker *maker)
{
    if (maker->why == NULL && maker->work++ >= WORK_MAX)
        table_refuse(maker, "The query is too large when its views are taken apart.");
    return maker->why == NULL;
}

static const struct query *query_of(const struct from *leaf)
{
    if (leaf->cte != NULL)
        return leaf->cte->query;
    return leaf->relation != NULL ? leaf->relation->query : leaf->query;
}

// Why SQLite runs a SELECT, if not for what it reads; NULL: it need not.
static const char *why_not(const struct query *query)
{
    if (query->set_op != SET_NONE)
        return "The query is a set operation.";
    if (query->from == NULL)
        return "The query has no FROM.";
    if (query->distinct)
        return "The query has a DISTINCT.";
    if (query->has_aggregates || query->n_groups > 0 || query->having != NULL)
        return "The query has an aggregate.";
    if (query->n_orders > 0 || query->limit != NULL || query->offset != NULL)
        return "The query has an ORDER BY or a LIMIT.";
    bool can = query->where == NULL || compile_can(query->where);
    for (size_t i = 0; i < query->n_outputs; i++)
        can = can && compile_can(query->outputs[i].expr);
    return can ? NULL : "The query has a window or a subquery as a value.";
}

// Scans.

static struct scan *add_scan(struct table_maker *maker, enum scan_kind kind,
                             const struct from *from)
{
    if (maker->n_scans == SCANS_MAX) {
        table_refuse(maker, "The query reads more than 32 tables.");
        return &maker->scans[SCANS_MAX - 1];
    }
    struct scan *scan = &maker->scans[maker->n_scans++];
    *scan = (struct scan){.kind = kind, .from = from};
    return scan;
}

static struct binding *bind_leaf(struct table_maker *maker, const struct from *leaf,
                                 struct binding **scope)
{
    struct binding *binding = arena_zalloc(&maker->plan->arena, sizeof(*binding));
    *binding = (struct binding){.leaf = leaf, .next = *scope};
    *scope = binding;
    return binding;
}

// The leaves are the last scan's.
static void bind_leaves(struct table_maker *maker, const struct from *from,
                        struct binding **scope)
{
    if (from->kind == FROM_JOIN) {
        bind_leaves(maker, from->left, scope);
        bind_leaves(maker, from->right, scope);
        return;
    }
    struct from *copy = arena_zalloc(&maker->plan->arena, sizeof(*copy));
    *copy = *from;
    bind_leaf(maker, from, scope)->copy = copy;
    MEM_GROW(maker->copies, maker->n_copies, maker->copies_capacity);
    maker->copies[maker->n_copies++] =
        (struct copied_leaf){copy, from, maker->n_scans - 1};
}

// SQLite can be asked for what has a name there.
static void add_sql(struct table_maker *maker, const struct from *leaf, const char *why)
{
    if (leaf->cte != NULL ? leaf->cte->hoisted == NULL : leaf->relation == NULL)
        table_refuse(maker, why);
    add_scan(maker, SCAN_SQL, leaf)->sql_why = why;
}

static void take_leaf(struct table_maker *maker, const struct from *leaf,
                      struct binding **scope)
{
    const struct query *query = query_of(leaf);
    const char *why = query != NULL ? why_not(query) : NULL;
    if (query != NULL && why == NULL) {
        struct binding *binding = bind_leaf(maker, leaf, scope);
        binding->query = query;
        table_take_query(maker, query, &binding->inside);
        return;
    }
    if (query == NULL)
        add_scan(maker, SCAN_TABLE, leaf);
    else
        add_sql(maker, leaf, why);
    bind_leaves(maker, leaf, scope);
    if (query != NULL) // SQL wants a column
        table_resolve(maker, *scope, table_column(maker->plan, leaf, 0));
}

// Joins.

static bool has_left_join(struct table_maker *maker, const struct from *from)
{
    if (!goes_on(maker))
        return false;
    if (from->kind == FROM_JOIN)
        return from->join != JOIN_INNER || has_left_join(maker, from->left) ||
               has_left_join(maker, from->right);
    const struct query *query = query_of(from);
    return query != NULL && why_not(query) == NULL && has_left_join(maker, query->from);
}

// A scan of all that stands there.
static void take_together(struct table_maker *maker, const struct from *from,
                          struct binding **scope)
{
    bool is_leaf = from->kind != FROM_JOIN;
    const struct query *query = is_leaf ? query_of(from) : NULL;
    if (is_leaf && (query == NULL || why_not(query) != NULL)) {
        take_leaf(maker, from, scope);
        return;
    }
    add_scan(maker, SCAN_QUERY, from);
    bind_leaves(maker, from, scope);
}

static void take_on(struct table_maker *maker, const struct binding *scope,
                    struct scan *scan, const struct expr *on)
{
    uint32_t own = 1u << (scan - maker->scans);
    struct exprs conditions = {0};
    const struct expr *rest_key, *own_key;
    if (on != NULL)
        native_split_and(&conditions, table_resolve(maker, scope, on));
    for (size_t i = 0; i < conditions.n; i++) {
        const struct expr *condition = conditions.items[i];
        uint32_t reads = table_reads(maker, condition);
        if (compile_can_fail(condition))
            table_refuse(maker, "A condition of a join may fail.");
        if (reads == own)
            exprs_add(&scan->filter, condition);
        else if ((reads & own) == 0)
            exprs_add(&scan->match, condition);
        else if (table_is_link(maker, condition, ~own, own, &rest_key, &own_key)) {
            exprs_add(&scan->keys, rest_key);
            exprs_add(&scan->source_keys, own_key);
        } else {
            table_refuse(maker, "A left join compares in another way than by an "
                                "equality.");
        }
    }
    free(conditions.items);
}

static void take_join(struct table_maker *maker, const struct from *from,
                      struct binding **scope)
{
    bool swapped = from->join == JOIN_RIGHT;
    const struct from *right = swapped ? from->left : from->right;
    table_take_from(maker, swapped ? from->right : from->left, scope);
    if (from->join == JOIN_INNER) {
        if (has_left_join(maker, right))
            take_together(maker, right, scope);
        else
            table_take_from(maker, right, scope);
        if (from->on != NULL)
            table_add_condition(maker, *scope, from->on);
        return;
    }
    take_together(maker, right, scope);
    struct scan *scan = &maker->scans[maker->n_scans - 1];
    scan->left = true;
    if (maker->why != NULL)
        return;
    if (from->on == NULL || compile_can(from->on))
        take_on(maker, *scope, scan, from->on);
    else
        table_refuse(maker, "A condition of a join has a subquery.");
}

void table_take_from(struct table_maker *maker, const struct from *from,
                     struct binding **scope)
{
    if (!goes_on(maker))
        return;
    if (from->kind == FROM_JOIN)
        take_join(maker, from, scope);
    else
        take_leaf(maker, from, scope);
}

void table_take_query(struct table_maker *maker, const struct query *query,
                      struct binding **scope)
{
    const char *why = why_not(query);
    if (why != NULL) {
        table_refuse(maker, why);
        return;
    }
    table_take_from(maker, query->from, scope);
    if (query->where != NULL)
        table_add_condition(maker, *scope, query->where);
}

// Expressions.

struct expr *table_column(struct plan *plan, const struct from *leaf, size_t column)
{
    struct expr *expr = arena_zalloc(&plan->arena, sizeof(*expr));
    expr->kind = EXPR_COLUMN;
    expr->leaf = leaf;
    expr->column = column;
    expr->type = leaf->schema.columns[column].type;
    expr->nullable = true; // an outer join may have made it so
    return expr;
}

const struct copied_leaf *table_copy_of(const struct table_maker *maker,
                                        const struct from *copy)
{
    size_t i = 0;
    while (maker->copies[i].copy != copy)
        i++;
    return &maker->copies[i];
}

static struct expr *resolve_column(struct table_maker *maker, const struct binding *scope,
                                   const struct expr *expr)
{
    while (scope->leaf != expr->leaf)
        scope = scope->next;
    if (scope->copy == NULL)
        return table_resolve(maker, scope->inside,
                             scope->query->outputs[expr->column].expr);
    struct expr *column = table_column(maker->plan, scope->copy, expr->column);
    struct scan *scan = &maker->scans[table_copy_of(maker, scope->copy)->scan];
    exprs_place(&scan->columns, column);
    return column;
}

struct expr *table_resolve(struct table_maker *maker, const struct binding *scope,
                           const struct expr *expr)
{
    struct arena *arena = &maker->plan->arena;
    if (!goes_on(maker))
        return expr_one(maker->plan);
    if (expr->kind == EXPR_COLUMN)
        return resolve_column(maker, scope, expr);
    struct expr *copy = arena_zalloc(arena, sizeof(*copy));
    *copy = *expr;
    copy->args = arena_array(arena, expr->n_args + 1, sizeof(*copy->args));
    for (size_t i = 0; i < expr->n_args; i++)
        copy->args[i] = table_resolve(maker, scope, expr->args[i]);
    if (expr->subject != NULL)
        copy->subject = table_resolve(maker, scope, expr->subject);
    return copy;
}

void table_add_condition(struct table_maker *maker, const struct binding *scope,
                         const struct expr *expr)
{
    if (maker->why != NULL)
        return;
    if (compile_can(expr))
        native_split_and(&maker->conditions, table_resolve(maker, scope, expr));
    else
        table_refuse(maker, "A condition of a join has a subquery.");
}

struct reads {
    const struct table_maker *maker;
    uint32_t scans;
};

static void note_reads(struct expr *expr, void *arg)
{
    struct reads *reads = arg;
    if (expr->kind == EXPR_COLUMN)
        reads->scans |= 1u << table_copy_of(reads->maker, expr->leaf)->scan;
    expr_each(expr, note_reads, reads);
}

uint32_t table_reads(const struct table_maker *maker, const struct expr *expr)
{
    struct reads reads = {.maker = maker};
    // Reads only.
    note_reads((struct expr *)(uintptr_t)expr, &reads);
    return reads.scans;
}

bool table_is_link(const struct table_maker *maker, const struct expr *expr, uint32_t a,
                   uint32_t b, const struct expr **ret_a, const struct expr **ret_b)
{
    if (expr->kind != EXPR_OP || expr->op != OP_EQ ||
        type_kind(expr->args[0]->type) != type_kind(expr->args[1]->type))
        return false;
    for (size_t i = 0; i < 2; i++) {
        uint32_t one = table_reads(maker, expr->args[i]);
        uint32_t other = table_reads(maker, expr->args[1 - i]);
        *ret_a = expr->args[i];
        *ret_b = expr->args[1 - i];
        if (one != 0 && (one & ~a) == 0 && other != 0 && (other & ~b) == 0)
            return true;
    }
    return false;
}
