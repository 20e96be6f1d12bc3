// SPDX-License-Identifier: Apache-2.0
// Subqueries as joins. EXISTS becomes a flag: whether a row of the subquery's tables
// matches. IN becomes EXISTS, with one more for each NULL that SQL's rules look at. A
// subquery as a value becomes a look-up of one row, an aggregate a grouped table.
//
// What uses nothing from outside is read once with the tables, as it stands. Otherwise
// its WHERE is taken apart: what is over its tables alone is computed with them, an
// equality becomes a key, the rest is asked for each match. Flags and values come from a
// step (plan.h), unless the subquery uses the tables of one join only: then it is joined
// to those, in SQL, and costs the stream nothing.
#include <stdlib.h>

#include "expr/eval.h"
#include "sql/bind.h"
#include "sql/catalog.h"
#include "sql/compile.h"
#include "sql/native_maker.h"
#include "sql/print.h"

struct subquery {
    struct native_maker *maker;
    const struct query *query;
    struct from *tables;
    struct exprs inner; // conditions over its tables alone, that do not fail
    struct exprs both;  // others
    struct key keys[KEYS_MAX];
    size_t n_keys;
    int reads;     // READS_ of what it uses from outside
    bool is_whole; // it uses nothing, and is read as it stands
};

// New expressions.

static struct expr *new_expr(struct native_maker *maker, enum expr_kind kind,
                             enum type type, size_t n_args)
{
    struct arena *arena = &maker->plan->arena;
    struct expr *expr = arena_zalloc(arena, sizeof(*expr));
    expr->kind = kind;
    expr->type = type;
    expr->nullable = true;
    expr->args = arena_array(arena, n_args + 1, sizeof(*expr->args));
    expr->n_args = n_args;
    return expr;
}

static struct expr *new_constant(struct native_maker *maker, enum type type,
                                 struct value value)
{
    struct expr *expr = new_expr(maker, EXPR_CONST, type, 0);
    expr->constant = value;
    expr->nullable = value.kind == VALUE_NULL;
    return expr;
}

static struct expr *new_boolean(struct native_maker *maker, bool is_true)
{
    return new_constant(maker, TYPE_BOOLEAN,
                        (struct value){.i = is_true, .kind = VALUE_BOOL});
}

static struct expr *new_column(struct native_maker *maker, const struct from *leaf,
                               size_t column)
{
    struct expr *expr =
        new_expr(maker, EXPR_COLUMN, leaf->schema.columns[column].type, 0);
    expr->leaf = leaf;
    expr->column = column;
    expr->nullable = leaf->schema.columns[column].nullable;
    return expr;
}

static struct expr *new_op(struct native_maker *maker, enum op op, struct expr *a,
                           struct expr *b)
{
    struct expr *expr = new_expr(maker, EXPR_OP, TYPE_BOOLEAN, b != NULL ? 2 : 1);
    expr->op = op;
    expr->args[0] = a;
    expr->args[1] = b;
    return expr;
}

static struct expr *copy_of(const struct expr *expr)
{
    return (struct expr *)(uintptr_t)expr; // shared; nobody writes to it
}

// All that stands in an expression or a query, subqueries too.

struct visit {
    void (*expr)(struct visit *visit, const struct expr *expr);
    const struct native_maker *maker;
    int reads; // of outer columns
    bool is_outer, can_fail;
};

static void visit_query(struct visit *visit, struct query *query);

static void visit_expr(struct expr *expr, void *arg)
{
    struct visit *visit = arg;
    visit->expr(visit, expr);
    if (expr->query != NULL)
        visit_query(visit, expr->query);
    expr_each(expr, visit_expr, visit);
}

static void visit_leaf(struct from *leaf, void *arg)
{
    if (leaf->kind == FROM_QUERY && leaf->relation == NULL)
        visit_query(arg, leaf->query);
}

static void visit_query(struct visit *visit, struct query *query)
{
    for (size_t i = 0; i < query->n_ctes; i++)
        visit_query(visit, query->ctes[i].query);
    if (query->set_op != SET_NONE) {
        visit_query(visit, query->left);
        visit_query(visit, query->right);
        return;
    }
    from_each_leaf(query->from, visit_leaf, visit);
    query_each_expr(query, visit_expr, visit);
}

// Whether the leaf stands outside of all subqueries.
static bool is_outside(const struct native_maker *maker, const struct from *leaf)
{
    bool is = leaf == maker->stream ||
              (maker->new_tables != NULL && native_has_leaf(maker->new_tables, leaf));
    for (size_t i = 0; i < maker->n_joins; i++)
        is |= native_has_leaf(maker->joins[i].tables, leaf);
    for (size_t i = 0; i < maker->n_steps; i++)
        is |= maker->steps[i]->kind <= STEP_LEFT &&
              native_has_leaf(maker->steps[i]->join.tables, leaf);
    for (size_t i = 0; i < maker->n_in_place; i++)
        is |= maker->in_place[i].leaf == leaf;
    return is;
}

static void note_outer(struct visit *visit, const struct expr *expr)
{
    struct native_maker *maker = (struct native_maker *)(uintptr_t)visit->maker;
    if (expr->kind == EXPR_CALL && expr->function->call == time_now) {
        visit->is_outer = true;
        visit->reads |= READS_STREAM;
    }
    if (expr->kind != EXPR_COLUMN || !is_outside(maker, expr->leaf))
        return;
    visit->is_outer = true;
    visit->reads |= native_reads(maker, native_resolve(maker, expr));
}

// Sums of many values; those of INTs, and averages of whole numbers, are never too large.
static bool aggregate_can_fail(const struct expr *expr)
{
    bool sums = strcmp(expr->function->name, "sum") == 0 ||
                strcmp(expr->function->name, "avg") == 0;
    if (!sums)
        return false;
    const struct expr *arg = expr->args[0];
    bool was_whole =
        arg->kind == EXPR_CAST && arg->type == TYPE_REAL &&
        (arg->args[0]->type == TYPE_INT || arg->args[0]->type == TYPE_BIGINT);
    return arg->type != TYPE_INT && !was_whole;
}

static bool gives_one_row(const struct query *query)
{
    bool no_more =
        query->set_op == SET_NONE &&
        (query->from == NULL || (query->has_aggregates && query->n_groups == 0));
    return no_more || (query->limit != NULL && query->limit->constant.i <= 1);
}

static void note_failing(struct visit *visit, const struct expr *expr)
{
    bool is_aggregate = expr->kind == EXPR_CALL && expr->function->call == NULL;
    if (expr->query != NULL)
        visit->can_fail |= expr->kind == EXPR_SCALAR && !gives_one_row(expr->query);
    else if (is_aggregate)
        visit->can_fail |= aggregate_can_fail(expr);
    else
        visit->can_fail |= compile_itself_can_fail(expr);
}

static struct visit visit_of(struct native_maker *maker,
                             void (*note)(struct visit *visit, const struct expr *expr),
                             const struct expr *expr, const struct query *query)
{
    struct visit visit = {.expr = note, .maker = maker};
    // Visits read only.
    if (expr != NULL)
        visit_expr((struct expr *)(uintptr_t)expr, &visit);
    if (query != NULL)
        visit_query(&visit, (struct query *)(uintptr_t)query);
    return visit;
}

static bool can_fail(struct native_maker *maker, const struct expr *expr)
{
    return visit_of(maker, note_failing, expr, NULL).can_fail;
}

static bool is_outer(struct native_maker *maker, const struct expr *expr)
{
    return visit_of(maker, note_outer, expr, NULL).is_outer;
}

// Whether it reads the subquery's own tables.

struct own {
    const struct from *tables;
    bool reads;
};

static void ask_own(struct expr *expr, void *arg)
{
    struct own *own = arg;
    if (expr->kind == EXPR_COLUMN)
        own->reads |= native_has_leaf(own->tables, expr->leaf);
    expr_each(expr, ask_own, own);
}

static bool reads_own(const struct subquery *subquery, const struct expr *expr)
{
    struct own own = {.tables = subquery->tables};
    ask_own((struct expr *)(uintptr_t)expr, &own); // reads only
    return own.reads;
}

// Taking it apart.

static void add_key(struct subquery *subquery, const struct expr *outer,
                    const struct expr *inner)
{
    subquery->keys[subquery->n_keys++] = (struct key){outer, inner};
}

static bool is_key(const struct subquery *subquery, const struct expr *outer,
                   const struct expr *inner)
{
    struct native_maker *maker = subquery->maker;
    return subquery->n_keys < KEYS_MAX - 1 && // IN adds one
           !reads_own(subquery, outer) && !is_outer(maker, inner) &&
           reads_own(subquery, inner) && !compile_can_fail(inner);
}

static void take_condition(struct subquery *subquery, const struct expr *condition)
{
    struct native_maker *maker = subquery->maker;
    if (!is_outer(maker, condition) && !can_fail(maker, condition)) {
        exprs_add(&subquery->inner, condition);
        return;
    }
    if (!compile_can(condition)) {
        native_refuse(maker, "A subquery in a subquery uses columns from outside, or may "
                             "fail.");
        return;
    }
    condition = native_resolve(maker, condition);
    subquery->reads |= visit_of(maker, note_outer, condition, NULL).reads;
    bool equality = condition->kind == EXPR_OP && condition->op == OP_EQ;
    if (equality && is_key(subquery, condition->args[0], condition->args[1]))
        add_key(subquery, condition->args[0], condition->args[1]);
    else if (equality && is_key(subquery, condition->args[1], condition->args[0]))
        add_key(subquery, condition->args[1], condition->args[0]);
    else
        exprs_add(&subquery->both, condition);
}

static bool from_can_stay(struct native_maker *maker, const struct from *from)
{
    if (from->kind == FROM_JOIN)
        return from_can_stay(maker, from->left) && from_can_stay(maker, from->right) &&
               (from->on == NULL ||
                (!is_outer(maker, from->on) && !can_fail(maker, from->on)));
    const struct query *query = from->relation == NULL ? from->query : NULL;
    return query == NULL || (!visit_of(maker, note_outer, NULL, query).is_outer &&
                             !visit_of(maker, note_failing, NULL, query).can_fail);
}

// Of one that is a plain SELECT, apart from `aggregates`.
static bool can_take_apart(const struct subquery *subquery, bool aggregates)
{
    const struct query *query = subquery->query;
    return query->set_op == SET_NONE && query->n_ctes == 0 && query->n_groups == 0 &&
           query->having == NULL && query->limit == NULL && query->offset == NULL &&
           query->has_aggregates == aggregates && query->from != NULL &&
           from_can_stay(subquery->maker, query->from);
}

static void take_apart(struct subquery *subquery)
{
    struct exprs conditions = {0};
    subquery->tables = subquery->query->from;
    if (subquery->query->where != NULL)
        native_split_and(&conditions, subquery->query->where);
    for (size_t i = 0; i < conditions.n && subquery->maker->why == NULL; i++)
        take_condition(subquery, conditions.items[i]);
    free(conditions.items);
}

static struct from *leaf_of(struct native_maker *maker, struct query *query,
                            const struct schema *schema)
{
    struct arena *arena = &maker->plan->arena;
    struct from *leaf = arena_zalloc(arena, sizeof(*leaf));
    leaf->kind = FROM_QUERY;
    leaf->query = query;
    leaf->schema = *schema;
    leaf->label = str_of("#subquery"); // alone in its FROM
    return leaf;
}

// Reads it as it stands if it can, else takes it apart.
static void take(struct subquery *subquery, bool aggregates)
{
    struct native_maker *maker = subquery->maker;
    struct query *query = (struct query *)(uintptr_t)subquery->query; // not written to
    subquery->is_whole = !visit_of(maker, note_outer, NULL, query).is_outer &&
                         !visit_of(maker, note_failing, NULL, query).can_fail;
    if (subquery->is_whole)
        subquery->tables = leaf_of(maker, query, &query->schema);
    else if (can_take_apart(subquery, aggregates))
        take_apart(subquery);
    else
        native_refuse(maker, "A subquery uses columns from outside, or may fail, and is "
                             "more than a SELECT with a WHERE.");
}

static void release(struct subquery *subquery)
{
    free(subquery->inner.items);
    free(subquery->both.items);
}

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
    REFUSED // refused
};

static enum place find_place(struct subquery *subquery)
{
    struct native_maker *maker = subquery->maker;
    bool left;
    if (maker->why != NULL)
        return REFUSED;
    if ((subquery->reads & ~READS_STREAM) == 0)
        return IN_STEP;
    bool is_one = (subquery->reads & (subquery->reads - 1)) == 0;
    if (is_one) {
        (void)tables_of(maker, subquery->reads, &left);
        if (can_join_to_tables(subquery, left))
            return IN_TABLES;
    }
    native_step_instead(maker, subquery->reads);
    return REFUSED;
}

// A failure stays out of what CASE and COALESCE do not compute.
static void check_arms(const struct subquery *subquery)
{
    bool fails = false;
    for (size_t i = 0; i < subquery->n_keys; i++)
        fails |= compile_can_fail(subquery->keys[i].stream);
    for (size_t i = 0; i < subquery->both.n; i++)
        fails |= compile_can_fail(subquery->both.items[i]);
    if (fails && subquery->maker->n_arms > 0)
        native_refuse(subquery->maker,
                      "A subquery that may fail stands in CASE or COALESCE.");
}

static struct step_maker *begin_step(const struct subquery *subquery, enum step_kind kind)
{
    check_arms(subquery);
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
    query->outputs[n] = (struct output_item){.expr = copy_of(expr), .name = name};
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
            query->groups[query->n_groups++] = copy_of(subquery->keys[i].tables);
    }
    for (size_t i = 0; i < n_values; i++)
        add_output(maker, query, values[i]);
    return leaf_of(maker, query, &query->schema);
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
        exprs_add(&links, new_op(maker, OP_EQ, new_column(maker, leaf, i),
                                 copy_of(subquery->keys[i].stream)));
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
    if (place == REFUSED)
        return new_boolean(maker, false);
    if (place == IN_STEP)
        return new_column(maker, begin_step(subquery, STEP_EXISTS)->flag, 0);
    const struct expr *one = new_constant(maker, TYPE_INT, value_int(1));
    struct from *leaf = keyed_table(subquery, false, &one, 1);
    join_to_tables(subquery, leaf);
    struct expr *is =
        new_op(maker, OP_IS_NOT_NULL, new_column(maker, leaf, subquery->n_keys), NULL);
    is->nullable = false;
    return is;
}

static struct expr *take_exists(struct subquery *subquery)
{
    take(subquery, false);
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
        add_key(&more, outer, inner);
    }
    struct expr *exists = make_exists(&more);
    release(&more);
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
    struct expr *in = new_expr(maker, EXPR_CASE, TYPE_BOOLEAN, 7);
    struct expr *null = new_constant(maker, TYPE_BOOLEAN, (struct value){0});
    in->args[0] = found;
    in->args[1] = new_boolean(maker, true);
    in->args[2] = new_boolean(maker, false);
    in->args[4] = new_boolean(maker, false);
    in->args[3] = in->args[5] = null;
    in->args[6] = new_boolean(maker, false);
    if (column->nullable)
        in->args[2] = exists_with(subquery, NULL, NULL,
                                  new_op(maker, OP_IS_NULL, copy_of(column), NULL));
    if (value->nullable)
        in->args[4] =
            new_op(maker, OP_AND, new_op(maker, OP_IS_NULL, copy_of(value), NULL),
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
    take(subquery, false);
    if (maker->why != NULL)
        return new_boolean(maker, false);
    if (subquery->is_whole) {
        column = new_column(maker, subquery->tables, 0);
    } else {
        column = subquery->query->outputs[0].expr;
        if (!compile_can(column) || is_outer(maker, column) || can_fail(maker, column))
            native_refuse(maker, "IN compares with an expression that uses columns from "
                                 "outside, or may fail.");
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
    struct expr *found = new_column(maker, step->flag, 0);
    struct expr *fails = new_expr(maker, EXPR_CALL, value->type, 1);
    struct expr *choice = new_expr(maker, EXPR_CASE, value->type, 5);
    fails->function = &single;
    fails->args[0] = found;
    choice->args[0] =
        new_op(maker, OP_EQ, found, new_constant(maker, TYPE_INT, value_int(1)));
    choice->args[1] = value;
    choice->args[2] =
        new_op(maker, OP_EQ, found, new_constant(maker, TYPE_INT, value_int(0)));
    choice->args[3] = new_constant(maker, value->type, (struct value){0});
    choice->args[4] = fails;
    return choice;
}

static struct expr *take_single(struct subquery *subquery)
{
    struct native_maker *maker = subquery->maker;
    const struct query *query = subquery->query;
    const struct expr *value = NULL;
    if (subquery->is_whole) {
        value = new_column(maker, subquery->tables, 0);
    } else if (query->distinct || !compile_can(query->outputs[0].expr)) {
        native_refuse(maker, "A subquery as a value has DISTINCT, or a subquery.");
    } else {
        value = native_resolve(maker, query->outputs[0].expr);
        subquery->reads |= visit_of(maker, note_outer, value, NULL).reads;
    }
    // Only a step tells one row from two.
    if (maker->why == NULL && (subquery->reads & ~READS_STREAM) != 0)
        native_step_instead(maker, subquery->reads);
    if (maker->why != NULL)
        return new_boolean(maker, false);
    const struct step_maker *step = begin_step(subquery, STEP_SINGLE);
    return single_value(maker, step, copy_of(value));
}

// What an expression over aggregates gives for no row.
static struct expr *of_no_row(struct native_maker *maker, const struct expr *expr)
{
    if (expr->kind == EXPR_CALL && expr->function->call == NULL) {
        bool counts = strcmp(expr->function->name, "count") == 0;
        return new_constant(maker, expr->type, counts ? value_int(0) : (struct value){0});
    }
    struct expr *copy = new_expr(maker, expr->kind, expr->type, expr->n_args);
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
    if (subquery->both.n > 0)
        native_refuse(maker, "A subquery's aggregate is over a condition with columns "
                             "from outside that is no equality, or that may fail.");
    else if (is_outer(maker, value) || can_fail(maker, value))
        native_refuse(maker,
                      "A subquery's aggregate uses columns from outside, or may fail.");
    enum place place = find_place(subquery);
    struct expr *empty = of_no_row(maker, value);
    if (maker->why == NULL && !compile_can(empty))
        native_refuse(maker, "A subquery's aggregate stands beside a subquery.");
    if (maker->why != NULL)
        return new_boolean(maker, false);
    const struct expr *values[] = {new_constant(maker, TYPE_INT, value_int(1)), value};
    struct from *leaf = keyed_table(subquery, true, values, ARRAY_LEN(values));
    if (place == IN_STEP) {
        // Its conditions are in the table.
        struct subquery grouped = *subquery;
        grouped.tables = leaf;
        grouped.inner = (struct exprs){0};
        for (size_t i = 0; i < grouped.n_keys; i++)
            grouped.keys[i].tables = new_column(maker, leaf, i);
        (void)begin_step(&grouped, STEP_LEFT);
    } else {
        join_to_tables(subquery, leaf);
    }
    struct expr *choice = new_expr(maker, EXPR_CASE, value->type, 3);
    choice->args[0] =
        new_op(maker, OP_IS_NOT_NULL, new_column(maker, leaf, subquery->n_keys), NULL);
    choice->args[1] = new_column(maker, leaf, subquery->n_keys + 1);
    choice->args[2] = empty;
    return choice;
}

static struct expr *take_value(struct subquery *subquery)
{
    const struct query *query = subquery->query;
    bool aggregates = query->set_op == SET_NONE && query->has_aggregates;
    take(subquery, aggregates);
    if (subquery->maker->why != NULL)
        return new_boolean(subquery->maker, false);
    return aggregates && !subquery->is_whole ? take_aggregate(subquery)
                                             : take_single(subquery);
}

// Any of them.

static struct expr *take_new(struct native_maker *maker, const struct expr *expr)
{
    struct subquery subquery = {.maker = maker, .query = expr->query};
    struct expr *by = expr->kind == EXPR_EXISTS ? take_exists(&subquery)
                      : expr->kind == EXPR_IN   ? take_in(&subquery, expr)
                                                : take_value(&subquery);
    release(&subquery);
    return by;
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
