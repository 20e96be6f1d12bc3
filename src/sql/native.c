// SPDX-License-Identifier: Apache-2.0
// Hash joins of what native_from.c found: where each output comes from, and a program for
// each side that has something to compute.
#include "sql/native.h"

#include <stdlib.h>

#include "sql/bind.h"
#include "sql/compile.h"
#include "sql/native_maker.h"
#include "sql/print.h"
#include "sql/reads.h"
#include "sql/table_query.h"

size_t exprs_place(struct exprs *exprs, const struct expr *expr)
{
    for (size_t i = 0; i < exprs->n; i++)
        if (expr_equal(exprs->items[i], expr))
            return i;
    exprs_add(exprs, expr);
    return exprs->n - 1;
}

struct column native_column_of(const struct expr *expr)
{
    struct column column = {
        .name = STR_LITERAL("value"), .type = expr->type, .nullable = expr->nullable};
    if (expr->kind == EXPR_COLUMN)
        column.name = expr->leaf->schema.columns[expr->column].name;
    return column;
}

static void add_column(struct schema *schema, const struct expr *expr)
{
    schema->columns[schema->n++] = native_column_of(expr);
}

struct expr *expr_one(struct plan *plan)
{
    struct expr *one = arena_zalloc(&plan->arena, sizeof(*one));
    one->kind = EXPR_CONST;
    one->type = TYPE_INT;
    one->constant = value_int(1);
    return one;
}

// What is joined by no equality is joined by a constant.
void native_need_key(struct native_maker *maker, struct join_maker *join)
{
    if (join->n_keys > 0)
        return;
    struct expr *one = expr_one(maker->plan);
    join->keys[join->n_keys++] = (struct key){one, one};
}

// Outputs.

size_t native_tables_place(struct join_maker *join, const struct expr *expr)
{
    for (size_t i = 0; i < join->n_keys; i++)
        if (expr_equal(join->keys[i].tables, expr))
            return i;
    return join->n_keys + exprs_place(&join->values, expr);
}

static struct output place_output(struct native_maker *maker, bool has_program,
                                  const struct expr *expr)
{
    int reads = native_reads(maker, expr);
    for (size_t i = 0; i < maker->n_joins; i++)
        if (reads == reads_join(i))
            return (struct output){SIDE_DIMENSION + i,
                                   native_tables_place(&maker->joins[i], expr)};
    if ((reads & ~READS_STREAM) != 0)
        native_step_instead(maker, reads);
    size_t column = has_program ? exprs_place(&maker->stream_values, expr) : expr->column;
    return (struct output){SIDE_STREAM, column};
}

static void place_outputs(struct native_maker *maker, bool has_program,
                          struct native_branch *branch)
{
    size_t n = maker->outputs.n;
    struct output *outputs = arena_array(&maker->plan->arena, n + 1, sizeof(*outputs));
    for (size_t i = 0; i < n; i++)
        outputs[i] = place_output(maker, has_program, maker->outputs.items[i]);
    branch->outputs = outputs;
    branch->n_outputs = n;
}

// The stream's side.

static bool stream_needs_program(const struct native_maker *maker)
{
    bool needs = maker->stream_filter.n > 0 || maker->n_steps > 0;
    for (size_t i = 0; i < maker->outputs.n; i++) {
        const struct expr *expr = maker->outputs.items[i];
        bool is_stream = (native_reads(maker, expr) & ~READS_STREAM) == 0;
        needs |= is_stream && expr->kind != EXPR_COLUMN;
    }
    for (size_t i = 0; i < maker->n_joins; i++) {
        const struct join_maker *join = &maker->joins[i];
        needs |= join->stream_match.n > 0;
        for (size_t k = 0; k < join->n_keys; k++)
            needs |= join->keys[k].stream->kind != EXPR_COLUMN;
    }
    return needs;
}

static void make_stream_program(struct native_maker *maker, struct native_branch *branch)
{
    struct compiler compiler;
    struct arena *arena = &maker->plan->arena;
    struct wide wide = {.maker = maker};
    compiler_init(&compiler, arena, native_wide_place, &wide);
    compile_condition(&compiler, PART_FILTER, maker->stream_filter.items,
                      maker->stream_filter.n);
    for (size_t i = 0; i < maker->n_joins; i++) {
        const struct join_maker *join = &maker->joins[i];
        compile_condition(&compiler, part_match(i), join->stream_match.items,
                          join->stream_match.n);
        for (size_t k = 0; k < join->n_keys; k++)
            compile_value(&compiler, part_keys(i), join->keys[k].stream);
    }
    branch->stream_schema.columns =
        arena_array(arena, maker->stream_values.n + 1, sizeof(struct column));
    for (size_t i = 0; i < maker->stream_values.n; i++) {
        compile_value(&compiler, PART_OUTPUTS, maker->stream_values.items[i]);
        add_column(&branch->stream_schema, maker->stream_values.items[i]);
    }
    branch->program = compiler_finish(&compiler);
}

static const size_t *stream_keys(struct native_maker *maker,
                                 const struct join_maker *join)
{
    size_t *keys = arena_array(&maker->plan->arena, join->n_keys + 1, sizeof(*keys));
    for (size_t i = 0; i < join->n_keys; i++)
        keys[i] = join->keys[i].stream->column;
    return keys;
}

// A join's side.

struct reading {
    struct native_maker *maker;
    struct join_maker *join;
};

static uint32_t tables_input(void *arg, const struct from *leaf, size_t column)
{
    const struct reading *reading = arg;
    struct exprs *reads = &reading->join->reads;
    for (size_t i = 0; i < reads->n; i++)
        if (reads->items[i]->leaf == leaf && reads->items[i]->column == column)
            return (uint32_t)i;
    struct expr *expr = arena_zalloc(&reading->maker->plan->arena, sizeof(*expr));
    expr->kind = EXPR_COLUMN;
    expr->leaf = leaf;
    expr->column = column;
    expr->type = leaf->schema.columns[column].type;
    expr->nullable = true; // an outer join between tables may have made it so
    exprs_add(reads, expr);
    return (uint32_t)reads->n - 1;
}

static const struct program *tables_program(struct native_maker *maker,
                                            struct join_maker *join)
{
    struct compiler compiler;
    struct reading reading = {maker, join};
    compiler_init(&compiler, &maker->plan->arena, tables_input, &reading);
    compile_condition(&compiler, part_match(0), join->match.items, join->match.n);
    for (size_t i = 0; i < join->n_keys; i++)
        compile_value(&compiler, part_keys(0), join->keys[i].tables);
    compiler_forget(&compiler); // a row of NULLs is neither matched nor has keys
    compile_condition(&compiler, PART_FILTER, join->filter.items, join->filter.n);
    for (size_t i = 0; i < join->values.n; i++)
        compile_value(&compiler, PART_OUTPUTS, join->values.items[i]);
    return compiler_finish(&compiler);
}

static bool all_columns(const struct join_maker *join)
{
    for (size_t i = 0; i < join->n_keys; i++)
        if (join->keys[i].tables->kind != EXPR_COLUMN)
            return false;
    for (size_t i = 0; i < join->values.n; i++)
        if (join->values.items[i]->kind != EXPR_COLUMN)
            return false;
    return join->match.n + join->filter.n == 0;
}

static void read_columns(struct join_maker *join)
{
    for (size_t i = 0; i < join->n_keys; i++)
        exprs_add(&join->reads, join->keys[i].tables);
    for (size_t i = 0; i < join->values.n; i++)
        exprs_add(&join->reads, join->values.items[i]);
}

static struct str join_sql(struct native_maker *maker, const struct join_maker *join)
{
    AUTO(buf_release) struct buf sql = {0};
    struct printer printer = {.out = &sql};
    buf_text(&sql, "SELECT ");
    for (size_t i = 0; i < join->reads.n; i++) {
        const struct expr *expr = join->reads.items[i];
        buf_text(&sql, i ? ", " : "");
        print_column(&printer, expr->leaf, expr->column);
        buf_text(&sql, " AS ");
        print_name(&printer, native_column_of(expr).name);
    }
    buf_text(&sql, join->reads.n ? " FROM " : "1 AS \"one\" FROM ");
    print_from(&printer, join->tables);
    const char *word = " WHERE ";
    for (size_t i = 0; i < join->n_keys; i++) {
        const struct expr *key = join->keys[i].tables;
        if (key->kind != EXPR_COLUMN || !key->nullable)
            continue;
        buf_text(&sql, word);
        print_column(&printer, key->leaf, key->column);
        buf_text(&sql, " IS NOT NULL");
        word = " AND ";
    }
    for (size_t i = 0; i < join->where.n; i++) {
        buf_text(&sql, word);
        print_expr(&printer, join->where.items[i]);
        word = " AND ";
    }
    return arena_str(&maker->plan->arena, buf_as_str(&sql));
}

static void make_schemas(struct native_maker *maker, const struct join_maker *join,
                         struct native_join *made)
{
    struct arena *arena = &maker->plan->arena;
    struct schema *read = &made->read_schema, *schema = &made->schema;
    read->columns = arena_array(arena, join->reads.n + 1, sizeof(*read->columns));
    schema->columns =
        arena_array(arena, join->n_keys + join->values.n + 1, sizeof(*schema->columns));
    for (size_t i = 0; i < join->reads.n; i++)
        add_column(read, join->reads.items[i]);
    if (join->reads.n == 0) // how many rows there are matters all the same
        read->columns[read->n++] =
            (struct column){.name = STR_LITERAL("one"), .type = TYPE_INT};
    for (size_t i = 0; i < join->n_keys; i++) {
        add_column(schema, join->keys[i].tables);
        schema->columns[i].nullable = false; // NULL equals nothing: left out
    }
    for (size_t i = 0; i < join->values.n; i++)
        add_column(schema, join->values.items[i]);
    if (made->program == NULL)
        *read = *schema;
}

static void add_meaning(struct printer *printer, const char *what,
                        const struct exprs *exprs)
{
    for (size_t i = 0; i < exprs->n; i++) {
        buf_printf(printer->out, "\n%s ", what);
        print_expr(printer, exprs->items[i]);
    }
}

static struct str meaning_of(struct native_maker *maker, const struct join_maker *join,
                             struct str sql)
{
    AUTO(buf_release) struct buf meaning = {0};
    struct printer printer = {.out = &meaning};
    buf_str(&meaning, sql);
    for (size_t i = 0; i < join->n_keys; i++) {
        buf_text(&meaning, "\nkey ");
        print_expr(&printer, join->keys[i].tables);
    }
    add_meaning(&printer, "match", &join->match);
    add_meaning(&printer, "filter", &join->filter);
    add_meaning(&printer, "value", &join->values);
    return arena_str(&maker->plan->arena, buf_as_str(&meaning));
}

static struct expr *is_not_null(struct native_maker *maker, const struct expr *column)
{
    struct arena *arena = &maker->plan->arena;
    struct expr *expr = arena_zalloc(arena, sizeof(*expr));
    expr->kind = EXPR_OP;
    expr->op = OP_IS_NOT_NULL;
    expr->type = TYPE_BOOLEAN;
    expr->n_args = 1;
    expr->args = arena_array(arena, 1, sizeof(*expr->args));
    expr->args[0] = (struct expr *)(uintptr_t)column;
    return expr;
}

// The same as the SQL.
static void make_query(struct native_maker *maker, const struct join_maker *join,
                       struct native_join *ret)
{
    struct exprs columns = {0}, conditions = {0};
    for (size_t i = 0; i < join->reads.n; i++)
        exprs_add(&columns, join->reads.items[i]);
    if (join->reads.n == 0)
        exprs_add(&columns, expr_one(maker->plan));
    for (size_t i = 0; i < join->n_keys; i++)
        if (join->keys[i].tables->kind == EXPR_COLUMN && join->keys[i].tables->nullable)
            exprs_add(&conditions, is_not_null(maker, join->keys[i].tables));
    for (size_t i = 0; i < join->where.n; i++)
        exprs_add(&conditions, join->where.items[i]);
    ret->query = table_query_of_from(maker->plan, join->tables, &columns, &conditions,
                                     &ret->read_schema, &ret->query_why);
    ret->reads = from_reads(&maker->plan->arena, join->tables,
                            native_all_of(maker, &conditions), &ret->n_reads);
    free(columns.items);
    free(conditions.items);
}

void native_make_join(struct native_maker *maker, struct join_maker *join,
                      bool stream_has_program, struct native_join *ret)
{
    ret->left = join->left;
    ret->n_keys = join->n_keys;
    if (!stream_has_program)
        ret->stream_keys = stream_keys(maker, join);
    if (all_columns(join))
        read_columns(join);
    else
        ret->program = tables_program(maker, join);
    ret->sql = join_sql(maker, join);
    ret->meaning = meaning_of(maker, join, ret->sql);
    make_schemas(maker, join, ret);
    make_query(maker, join, ret);
}

// The whole.

static void make_branch(struct native_maker *maker, struct native_branch *ret)
{
    for (size_t i = 0; i < maker->n_joins; i++)
        native_need_key(maker, &maker->joins[i]);
    bool has_program = stream_needs_program(maker);
    place_outputs(maker, has_program, ret);
    if (maker->why != NULL)
        return;
    struct native_steps *steps = arena_zalloc(&maker->plan->arena, sizeof(*steps));
    if (maker->n_steps > 0)
        native_compile_steps(maker, steps);
    struct native_join *joins =
        arena_array(&maker->plan->arena, maker->n_joins + 1, sizeof(*joins));
    for (size_t i = 0; i < maker->n_joins; i++)
        native_make_join(maker, &maker->joins[i], has_program, &joins[i]);
    ret->joins = joins;
    ret->n_joins = maker->n_joins;
    if (has_program)
        make_stream_program(maker, ret);
    else
        ret->stream_schema = maker->stream->schema;
    if (maker->n_steps > 0) {
        native_finish_steps(maker, steps);
        ret->steps = steps;
    }
    ret->data = native_branch_data(maker, ret);
}

void native_release_join(struct join_maker *join)
{
    free(join->stream_match.items);
    free(join->match.items);
    free(join->filter.items);
    free(join->where.items);
    free(join->values.items);
    free(join->reads.items);
}

static void maker_release(struct native_maker *maker)
{
    for (size_t i = 0; i < maker->n_joins; i++)
        native_release_join(&maker->joins[i]);
    native_release_steps(maker);
    free(maker->in_place);
    free(maker->replaced);
    free(maker->stream_filter.items);
    free(maker->first_filter.items);
    free(maker->stream_values.items);
    free(maker->outputs.items);
}

// Returns why not, or NULL. Each try makes steps of more joins.
static const char *take_branch(struct plan *plan, const struct query *query, size_t i,
                               struct native_branch *ret)
{
    struct native_maker *maker = mem_alloc(sizeof(*maker));
    struct native_maker next = {.plan = plan};
    bool again;
    do {
        *maker = next;
        native_take_branch(maker, query, i);
        if (maker->why == NULL)
            make_branch(maker, ret);
        again = maker->again;
        next.stepped = maker->stepped;
        next.n_stepped = maker->n_stepped;
        next.stepped_capacity = maker->stepped_capacity;
        maker_release(maker);
    } while (again);
    const char *why = maker->why;
    free(next.stepped);
    free(maker);
    return why;
}

void native_plan_make(struct plan *plan, const struct query *query)
{
    struct native_plan *native = arena_zalloc(&plan->arena, sizeof(*native));
    size_t n = native_count_branches(query);
    const char *why =
        n > BRANCHES_MAX ? "More than 64 queries are put together by UNION ALL." : NULL;
    struct native_branch *branches = arena_array(&plan->arena, n, sizeof(*branches));
    for (size_t i = 0; i < n && why == NULL; i++)
        why = take_branch(plan, query, i, &branches[i]);
    if (why != NULL) {
        plan->native_why = str_of(why);
        return;
    }
    native->branches = branches;
    native->n_branches = n;
    plan->native = native;
}
