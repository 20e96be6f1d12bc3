// SPDX-License-Identifier: Apache-2.0
// Subqueries as joins. EXISTS becomes a flag: whether a row of the subquery's tables
// matches. IN becomes EXISTS, with one more for each NULL that SQL's rules look at. A
// subquery as a value becomes a look-up of one row, an aggregate a grouped table.
//
// What uses nothing from outside is read once with the tables, as it stands. Otherwise
// its WHERE is taken apart: what is over its tables alone is computed with them, an
// equality becomes a key, the rest is asked for each match. Flags and values come from a
// step (plan.h), unless the subquery uses the tables of one join only: then it is joined
// to those, in SQL, and costs the stream nothing. One without FROM is its expression.
// What is none of this SQLite answers (native_asked.c).
#include <stdlib.h>

#include "expr/eval.h"
#include "sql/bind.h"
#include "sql/catalog.h"
#include "sql/compile.h"
#include "sql/native_apart.h"
#include "sql/print.h"

// Where its rows are looked up.

static bool is_plain_column(const struct expr *expr)
{
    return expr->kind == EXPR_COLUMN;
}

// Whether the subquery can be joined to the tables of the one join that it reads: NULLs
// that come for a record without a match must find nothing.
static bool can_join_to_tables(const struct subquery *subquery, bool left)
{
    bool can = subquery->n_keys > 0 && subquery->both.n == 0;
    for (size_t i = 0; i < subquery->n_keys; i++) {
        const struct expr *outer = subquery->keys[i].stream;
        can = can && !compile_can_fail(outer) && (!left || is_plain_column(outer));
        can = can && native_reads(subquery->maker, outer) != 0;
    }
    return can;
}

// The tables that a join's bit stands for, to be joined with more.
static struct from **tables_of(struct native_maker *maker, int reads, bool *ret_left)
{
    for (size_t i = 0; i < maker->n_joins; i++) {
        if (reads != reads_join(i))
            continue;
        *ret_left = maker->joins[i].left;
        return &maker->joins[i].tables;
    }
    *ret_left = false; // in its ON: a record without a match is not asked
    return &maker->new_tables;
}

enum place {
    IN_STEP,
    IN_TABLES,
    NO_PLACE // refused
};

static enum place find_place(struct subquery *subquery)
{
    struct native_maker *maker = subquery->maker;
    bool left;
    if (subquery_is_refused(subquery))
        return NO_PLACE;
    if ((subquery->reads & ~READS_STREAM) == 0)
        return IN_STEP;
    bool is_one = (subquery->reads & (subquery->reads - 1)) == 0;
    if (is_one) {
        (void)tables_of(maker, subquery->reads, &left);
        if (can_join_to_tables(subquery, left))
            return IN_TABLES;
    }
    native_step_instead(maker, subquery->reads);
    return NO_PLACE;
}

static struct step_maker *begin_step(const struct subquery *subquery, enum step_kind kind)
{
    struct step_maker *step = native_add_step(subquery->maker, kind, subquery->tables);
    struct join_maker *join = &step->join;
    for (size_t i = 0; i < subquery->inner.n; i++) {
        const struct expr *condition = subquery->inner.items[i];
        exprs_add(compile_can(condition) ? &join->match : &join->where, condition);
    }
    for (size_t i = 0; i < subquery->both.n; i++)
        exprs_add(&step->residual, subquery->both.items[i]);
    memcpy(join->keys, subquery->keys, subquery->n_keys * sizeof(*join->keys));
    join->n_keys = subquery->n_keys;
    return step;
}

// A table of it for joining: its keys, then `values`.

static void add_output(struct native_maker *maker, struct query *query,
                       const struct expr *expr)
{
    struct arena *arena = &maker->plan->arena;
    size_t n = query->n_outputs++;
    struct str name = str_of(arena_printf(arena, "c%zu", n));
    query->outputs[n] = (struct output_item){.expr = native_copy_of(expr), .name = name};
    query->schema.columns[query->schema.n++] =
        (struct column){.name = name, .type = expr->type, .nullable = true};
}

static struct from *keyed_table(const struct subquery *subquery, bool grouped,
                                const struct expr *const *values, size_t n_values)
{
    struct native_maker *maker = subquery->maker;
    struct arena *arena = &maker->plan->arena;
    struct query *query = arena_zalloc(arena, sizeof(*query));
    size_t n = subquery->n_keys + n_values;
    query->from = subquery->tables;
    query->outputs = arena_array(arena, n + 1, sizeof(*query->outputs));
    query->schema.columns = arena_array(arena, n + 1, sizeof(*query->schema.columns));
    query->groups = arena_array(arena, n + 1, sizeof(*query->groups));
    query->distinct = !grouped;
    query->has_aggregates = grouped;
    if (subquery->inner.n > 0)
        query->where = native_all_of(maker, &subquery->inner);
    for (size_t i = 0; i < subquery->n_keys; i++) {
        add_output(maker, query, subquery->keys[i].tables);
        if (grouped)
            query->groups[query->n_groups++] = native_copy_of(subquery->keys[i].tables);
    }
    for (size_t i = 0; i < n_values; i++)
        add_output(maker, query, values[i]);
    return subquery_leaf(maker, query, &query->schema);
}

// Left joins such a table to those of a join.
static void join_to_tables(const struct subquery *subquery, struct from *leaf)
{
    struct native_maker *maker = subquery->maker;
    struct exprs links = {0};
    bool left;
    struct arena *arena = &maker->plan->arena;
    struct from **tables = tables_of(maker, subquery->reads, &left);
    struct from *joined = arena_zalloc(arena, sizeof(*joined));
    leaf->label = str_of(arena_printf(arena, "#subquery %zu", ++maker->n_subqueries));
    for (size_t i = 0; i < subquery->n_keys; i++)
        exprs_add(&links, native_op(maker, OP_EQ, native_column(maker, leaf, i),
                                    native_copy_of(subquery->keys[i].stream)));
    *joined = (struct from){.kind = FROM_JOIN,
                            .join = JOIN_LEFT,
                            .left = *tables,
                            .right = leaf,
                            .on = native_all_of(maker, &links)};
    *tables = joined;
    free(links.items);
}

// EXISTS.

// Whether there is a row: an expression.
static struct expr *make_exists(struct subquery *subquery)
{
    struct native_maker *maker = subquery->maker;
    enum place place = find_place(subquery);
    if (place == NO_PLACE)
        return native_boolean(maker, false);
    if (place == IN_STEP)
        return native_column(maker, begin_step(subquery, STEP_EXISTS)->flag, 0);
    const struct expr *one = native_constant(maker, TYPE_INT, value_int(1));
    struct from *leaf = keyed_table(subquery, false, &one, 1);
    join_to_tables(subquery, leaf);
    struct expr *is = native_op(maker, OP_IS_NOT_NULL,
                                native_column(maker, leaf, subquery->n_keys), NULL);
    is->nullable = false;
    return is;
}

static struct expr *take_exists(struct subquery *subquery)
{
    subquery_take(subquery, false);
    return make_exists(subquery);
}

// IN.

// EXISTS with one more key, or one more condition on its tables; NULL: none.
static struct expr *exists_with(const struct subquery *subquery, const struct expr *outer,
                                const struct expr *inner, const struct expr *condition)
{
    struct subquery more = *subquery;
    more.inner = more.both = (struct exprs){0};
    for (size_t i = 0; i < subquery->inner.n; i++)
        exprs_add(&more.inner, subquery->inner.items[i]);
    for (size_t i = 0; i < subquery->both.n; i++)
        exprs_add(&more.both, subquery->both.items[i]);
    if (condition != NULL)
        exprs_add(&more.inner, condition);
    if (inner != NULL) {
        more.reads |= native_reads(more.maker, outer);
        subquery_add_key(&more, outer, inner);
    }
    struct expr *exists = make_exists(&more);
    subquery_release(&more);
    return exists;
}

// With SQL's rules for NULL: unknown when the value, or one of the subquery's, is NULL
// and it is not found.
static struct expr *make_in(const struct subquery *subquery, const struct expr *value,
                            const struct expr *column, bool is_condition)
{
    struct native_maker *maker = subquery->maker;
    struct expr *found = exists_with(subquery, value, column, NULL);
    if (is_condition || (!value->nullable && !column->nullable))
        return found;
    struct expr *in = native_expr(maker, EXPR_CASE, TYPE_BOOLEAN, 7);
    struct expr *null = native_constant(maker, TYPE_BOOLEAN, (struct value){0});
    in->args[0] = found;
    in->args[1] = native_boolean(maker, true);
    in->args[2] = native_boolean(maker, false);
    in->args[4] = native_boolean(maker, false);
    in->args[3] = in->args[5] = null;
    in->args[6] = native_boolean(maker, false);
    if (column->nullable)
        in->args[2] =
            exists_with(subquery, NULL, NULL,
                        native_op(maker, OP_IS_NULL, native_copy_of(column), NULL));
    if (value->nullable)
        in->args[4] = native_op(maker, OP_AND,
                                native_op(maker, OP_IS_NULL, native_copy_of(value), NULL),
                                exists_with(subquery, NULL, NULL, NULL));
    return in;
}

static struct expr *take_in(struct subquery *subquery, const struct expr *expr)
{
    struct native_maker *maker = subquery->maker;
    bool is_condition = maker->is_condition;
    maker->is_condition = false;
    const struct expr *value = native_resolve(maker, expr->args[0]);
    const struct expr *column;
    subquery_take(subquery, false);
    subquery_check_arms(subquery, value);
    if (subquery_is_refused(subquery))
        return native_boolean(maker, false);
    if (subquery->is_whole) {
        column = native_column(maker, subquery->tables, 0);
    } else {
        column = subquery->query->outputs[0].expr;
        if (!compile_can(column) || native_outer(maker, column).is_used ||
            native_can_fail(maker, column))
            subquery_refuse(subquery, "IN compares with an expression that uses columns "
                                      "from outside, or may fail.");
    }
    return make_in(subquery, value, column, is_condition);
}

// A subquery as a value.

static struct value fail_single(struct call *call, const struct value *args,
                                size_t n_args)
{
    (void)args;
    (void)n_args;
    call->error = str_of("a subquery used as a value gave more than one row");
    return (struct value){0};
}

static const struct function single = {
    .name = "single", .kind = FUNCTION_SCALAR, .call = fail_single};

// The value where the step found one row, NULL where none, and a failure for two.
static struct expr *single_value(struct native_maker *maker,
                                 const struct step_maker *step, struct expr *value)
{
    struct expr *found = native_column(maker, step->flag, 0);
    struct expr *fails = native_expr(maker, EXPR_CALL, value->type, 1);
    struct expr *choice = native_expr(maker, EXPR_CASE, value->type, 5);
    fails->function = &single;
    fails->args[0] = found;
    choice->args[0] =
        native_op(maker, OP_EQ, found, native_constant(maker, TYPE_INT, value_int(1)));
    choice->args[1] = value;
    choice->args[2] =
        native_op(maker, OP_EQ, found, native_constant(maker, TYPE_INT, value_int(0)));
    choice->args[3] = native_constant(maker, value->type, (struct value){0});
    choice->args[4] = fails;
    return choice;
}

static struct expr *take_single(struct subquery *subquery)
{
    struct native_maker *maker = subquery->maker;
    const struct query *query = subquery->query;
    const struct expr *value = NULL;
    if (subquery->is_whole) {
        value = native_column(maker, subquery->tables, 0);
    } else if (query->distinct || !compile_can(query->outputs[0].expr)) {
        subquery_refuse(subquery, "A subquery as a value has DISTINCT, or a subquery.");
    } else {
        value = native_resolve(maker, query->outputs[0].expr);
        subquery->reads |= native_outer(maker, value).reads;
    }
    // Only a step tells one row from two.
    if (!subquery_is_refused(subquery) && (subquery->reads & ~READS_STREAM) != 0)
        native_step_instead(maker, subquery->reads);
    if (subquery_is_refused(subquery))
        return native_boolean(maker, false);
    const struct step_maker *step = begin_step(subquery, STEP_SINGLE);
    return single_value(maker, step, native_copy_of(value));
}

// What an expression over aggregates gives for no row.
static struct expr *of_no_row(struct native_maker *maker, const struct expr *expr)
{
    if (expr->kind == EXPR_CALL && expr->function->call == NULL) {
        bool counts = strcmp(expr->function->name, "count") == 0;
        return native_constant(maker, expr->type,
                               counts ? value_int(0) : (struct value){0});
    }
    struct expr *copy = native_expr(maker, expr->kind, expr->type, expr->n_args);
    struct expr **args = copy->args;
    *copy = *expr;
    copy->args = args;
    for (size_t i = 0; i < expr->n_args; i++)
        copy->args[i] = of_no_row(maker, expr->args[i]);
    if (expr->subject != NULL)
        copy->subject = of_no_row(maker, expr->subject);
    return copy;
}

static struct expr *take_aggregate(struct subquery *subquery)
{
    struct native_maker *maker = subquery->maker;
    const struct expr *value = subquery->query->outputs[0].expr;
    struct expr *empty = of_no_row(maker, value);
    if (subquery->both.n > 0)
        subquery_refuse(subquery,
                        "A subquery's aggregate is over a condition with columns "
                        "from outside that is not an equality, or that may fail.");
    else if (native_outer(maker, value).is_used || native_can_fail(maker, value))
        subquery_refuse(subquery,
                        "A subquery's aggregate uses columns from outside, or may fail.");
    else if (!compile_can(empty))
        subquery_refuse(subquery, "A subquery's aggregate stands beside a subquery.");
    enum place place = find_place(subquery);
    if (place == NO_PLACE)
        return native_boolean(maker, false);
    const struct expr *values[] = {native_constant(maker, TYPE_INT, value_int(1)), value};
    struct from *leaf = keyed_table(subquery, true, values, ARRAY_LEN(values));
    if (place == IN_STEP) {
        // Its conditions are in the table.
        struct subquery grouped = *subquery;
        grouped.tables = leaf;
        grouped.inner = (struct exprs){0};
        for (size_t i = 0; i < grouped.n_keys; i++)
            grouped.keys[i].tables = native_column(maker, leaf, i);
        (void)begin_step(&grouped, STEP_LEFT);
    } else {
        join_to_tables(subquery, leaf);
    }
    struct expr *choice = native_expr(maker, EXPR_CASE, value->type, 3);
    choice->args[0] = native_op(maker, OP_IS_NOT_NULL,
                                native_column(maker, leaf, subquery->n_keys), NULL);
    choice->args[1] = native_column(maker, leaf, subquery->n_keys + 1);
    choice->args[2] = empty;
    return choice;
}

static struct expr *take_value(struct subquery *subquery)
{
    const struct query *query = subquery->query;
    bool aggregates = query->set_op == SET_NONE && query->has_aggregates;
    subquery_take(subquery, aggregates);
    if (subquery_is_refused(subquery))
        return native_boolean(subquery->maker, false);
    return aggregates && !subquery->is_whole ? take_aggregate(subquery)
                                             : take_single(subquery);
}

// Without FROM: one row, or none where its WHERE is not true.

static bool is_expression(const struct query *query)
{
    return query->set_op == SET_NONE && query->from == NULL && query->n_ctes == 0 &&
           query->n_groups == 0 && query->having == NULL && query->limit == NULL &&
           query->offset == NULL && !query->has_aggregates;
}

static struct expr *with_row(struct native_maker *maker, const struct expr *expr)
{
    const struct expr *output = expr->query->outputs[0].expr;
    if (expr->kind == EXPR_EXISTS)
        return native_boolean(maker, true);
    struct expr *value = native_resolve(maker, output);
    return expr->kind == EXPR_SCALAR
               ? value
               : native_op(maker, OP_EQ, native_resolve(maker, expr->args[0]), value);
}

static struct expr *take_expression(struct native_maker *maker, const struct expr *expr)
{
    const struct query *query = expr->query;
    maker->is_condition = false;
    if (query->where == NULL)
        return with_row(maker, expr);
    struct expr *choice = native_expr(maker, EXPR_CASE, expr->type, 3);
    choice->args[0] = native_resolve(maker, query->where);
    maker->n_arms++;
    choice->args[1] = with_row(maker, expr);
    maker->n_arms--;
    choice->args[2] = expr->kind == EXPR_SCALAR
                          ? native_constant(maker, expr->type, (struct value){0})
                          : native_boolean(maker, false);
    return choice;
}

// Any of them.

static struct expr *take_new(struct native_maker *maker, const struct expr *expr)
{
    if (is_expression(expr->query))
        return take_expression(maker, expr);
    struct subquery subquery = {.maker = maker, .query = expr->query};
    struct expr *by = expr->kind == EXPR_EXISTS ? take_exists(&subquery)
                      : expr->kind == EXPR_IN   ? take_in(&subquery, expr)
                                                : take_value(&subquery);
    subquery_release(&subquery);
    return subquery.why == NULL ? by : native_ask(maker, expr, subquery.why);
}

struct expr *native_take_subquery(struct native_maker *maker, const struct expr *expr)
{
    // A column of a view may be used twice.
    for (size_t i = 0; i < maker->n_replaced; i++)
        if (maker->replaced[i].subquery == expr)
            return maker->replaced[i].by;
    struct expr *by = take_new(maker, expr);
    MEM_GROW(maker->replaced, maker->n_replaced, maker->replaced_capacity);
    maker->replaced[maker->n_replaced++] = (struct replaced){expr, by};
    return by;
}
