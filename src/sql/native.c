// SPDX-License-Identifier: Apache-2.0
// A hash join of what native_from.c found: where each output comes from, and a program
// for each side that has something to compute.
#include "sql/native.h"

#include <stdlib.h>

#include "sql/bind.h"
#include "sql/compile.h"
#include "sql/native_maker.h"
#include "sql/print.h"

// The place of an expression in a list, which it is added to.
static size_t exprs_place(struct exprs *exprs, const struct expr *expr)
{
    for (size_t i = 0; i < exprs->n; i++)
        if (expr_equal(exprs->items[i], expr))
            return i;
    exprs_add(exprs, expr);
    return exprs->n - 1;
}

// What is joined by no equality is joined by a constant.
static void need_key(struct native_maker *maker)
{
    if (maker->tables == NULL || maker->n_keys > 0)
        return;
    struct expr *one = arena_zalloc(&maker->plan->arena, sizeof(*one));
    one->kind = EXPR_CONST;
    one->type = TYPE_INT;
    one->constant = value_int(1);
    maker->keys[maker->n_keys++] = (struct key){one, one};
}

// Values.

static size_t stream_place(struct native_maker *maker, bool has_program,
                           const struct expr *expr)
{
    return has_program ? exprs_place(&maker->stream_values, expr) : expr->column;
}

static size_t tables_place(struct native_maker *maker, const struct expr *expr)
{
    for (size_t i = 0; i < maker->n_keys; i++)
        if (expr_equal(maker->keys[i].tables, expr))
            return i;
    return maker->n_keys + exprs_place(&maker->tables_values, expr);
}

static bool all_columns(const struct native_maker *maker, int side)
{
    for (size_t i = 0; i < maker->n_keys; i++)
        if ((side == READS_STREAM ? maker->keys[i].stream : maker->keys[i].tables)
                ->kind != EXPR_COLUMN)
            return false;
    for (size_t i = 0; i < maker->query->n_outputs; i++) {
        const struct expr *expr = maker->query->outputs[i].expr;
        bool is_tables = native_reads(maker, expr) == READS_TABLES;
        if (is_tables == (side == READS_TABLES) && expr->kind != EXPR_COLUMN)
            return false;
    }
    return true;
}

static void check_outputs(struct native_maker *maker)
{
    for (size_t i = 0; i < maker->query->n_outputs; i++) {
        const struct expr *expr = maker->query->outputs[i].expr;
        if (!compile_can(expr))
            native_refuse(maker, "An output has a subquery.");
        else if (native_reads(maker, expr) == (READS_STREAM | READS_TABLES))
            native_refuse(maker, "An output is computed from both stream and tables.");
    }
}

static void place_outputs(struct native_maker *maker, bool has_program,
                          struct native_plan *native)
{
    size_t n = maker->query->n_outputs;
    struct output *outputs = arena_array(&maker->plan->arena, n, sizeof(*outputs));
    for (size_t i = 0; i < n; i++) {
        const struct expr *expr = maker->query->outputs[i].expr;
        if (native_reads(maker, expr) == READS_TABLES)
            outputs[i] = (struct output){SIDE_DIMENSION, tables_place(maker, expr)};
        else
            outputs[i] =
                (struct output){SIDE_STREAM, stream_place(maker, has_program, expr)};
    }
    native->outputs = outputs;
    native->n_outputs = n;
}

static struct column column_of(const struct expr *expr)
{
    struct column column = {
        .name = STR_LITERAL("value"), .type = expr->type, .nullable = expr->nullable};
    if (expr->kind == EXPR_COLUMN)
        column.name = expr->leaf->schema.columns[expr->column].name;
    return column;
}

static void add_column(struct schema *schema, const struct expr *expr)
{
    schema->columns[schema->n++] = column_of(expr);
}

// Programs.

static uint32_t stream_input(void *arg, const struct from *leaf, size_t column)
{
    (void)arg;
    (void)leaf;
    return (uint32_t)column;
}

static void make_stream_program(struct native_maker *maker, struct native_plan *native)
{
    struct compiler compiler;
    struct arena *arena = &maker->plan->arena;
    compiler_init(&compiler, arena, stream_input, NULL);
    compile_condition(&compiler, PART_FILTER, maker->stream_filter.items,
                      maker->stream_filter.n);
    compile_condition(&compiler, PART_MATCH, maker->stream_match.items,
                      maker->stream_match.n);
    for (size_t i = 0; i < maker->n_keys; i++)
        compile_value(&compiler, PART_KEYS, maker->keys[i].stream);
    native->stream_schema.columns =
        arena_array(arena, maker->stream_values.n + 1, sizeof(struct column));
    for (size_t i = 0; i < maker->stream_values.n; i++) {
        compile_value(&compiler, PART_OUTPUTS, maker->stream_values.items[i]);
        add_column(&native->stream_schema, maker->stream_values.items[i]);
    }
    native->stream = compiler_finish(&compiler);
}

static uint32_t read_column(struct native_maker *maker, const struct from *leaf,
                            size_t column)
{
    for (size_t i = 0; i < maker->reads.n; i++)
        if (maker->reads.items[i]->leaf == leaf &&
            maker->reads.items[i]->column == column)
            return (uint32_t)i;
    struct expr *expr = arena_zalloc(&maker->plan->arena, sizeof(*expr));
    expr->kind = EXPR_COLUMN;
    expr->leaf = leaf;
    expr->column = column;
    expr->type = leaf->schema.columns[column].type;
    expr->nullable = true; // an outer join between tables may have made it so
    exprs_add(&maker->reads, expr);
    return (uint32_t)maker->reads.n - 1;
}

static uint32_t tables_input(void *arg, const struct from *leaf, size_t column)
{
    return read_column(arg, leaf, column);
}

static void make_tables_program(struct native_maker *maker, struct native_plan *native)
{
    struct compiler compiler;
    compiler_init(&compiler, &maker->plan->arena, tables_input, maker);
    compile_condition(&compiler, PART_MATCH, maker->tables_match.items,
                      maker->tables_match.n);
    for (size_t i = 0; i < maker->n_keys; i++)
        compile_value(&compiler, PART_KEYS, maker->keys[i].tables);
    compiler_forget(&compiler); // a row of NULLs is neither matched nor has keys
    compile_condition(&compiler, PART_FILTER, maker->tables_filter.items,
                      maker->tables_filter.n);
    for (size_t i = 0; i < maker->tables_values.n; i++)
        compile_value(&compiler, PART_OUTPUTS, maker->tables_values.items[i]);
    native->tables = compiler_finish(&compiler);
}

static void read_plain_columns(struct native_maker *maker)
{
    for (size_t i = 0; i < maker->n_keys; i++)
        exprs_add(&maker->reads, maker->keys[i].tables);
    for (size_t i = 0; i < maker->tables_values.n; i++)
        exprs_add(&maker->reads, maker->tables_values.items[i]);
}

static struct str dimension_sql(struct native_maker *maker)
{
    AUTO(buf_release) struct buf sql = {0};
    struct printer printer = {.out = &sql};
    buf_text(&sql, "SELECT ");
    for (size_t i = 0; i < maker->reads.n; i++) {
        buf_text(&sql, i ? ", " : "");
        print_column(&printer, maker->reads.items[i]->leaf,
                     maker->reads.items[i]->column);
        buf_text(&sql, " AS ");
        print_name(&printer, column_of(maker->reads.items[i]).name);
    }
    buf_text(&sql, maker->reads.n ? " FROM " : "1 AS \"one\" FROM ");
    print_from(&printer, maker->tables);
    const char *word = " WHERE ";
    for (size_t i = 0; i < maker->n_keys; i++) {
        const struct expr *key = maker->keys[i].tables;
        if (key->kind != EXPR_COLUMN || !key->nullable)
            continue;
        buf_text(&sql, word);
        print_column(&printer, key->leaf, key->column);
        buf_text(&sql, " IS NOT NULL");
        word = " AND ";
    }
    return arena_str(&maker->plan->arena, buf_as_str(&sql));
}

static void make_schemas(struct native_maker *maker, struct native_plan *native)
{
    struct arena *arena = &maker->plan->arena;
    struct schema *read = &native->read_schema, *made = &native->dimension_schema;
    read->columns = arena_array(arena, maker->reads.n + 1, sizeof(*read->columns));
    made->columns = arena_array(arena, maker->n_keys + maker->tables_values.n + 1,
                                sizeof(*made->columns));
    for (size_t i = 0; i < maker->reads.n; i++)
        add_column(read, maker->reads.items[i]);
    if (maker->reads.n == 0) // how many rows there are matters all the same
        read->columns[read->n++] =
            (struct column){.name = STR_LITERAL("one"), .type = TYPE_INT};
    for (size_t i = 0; i < maker->n_keys; i++) {
        add_column(made, maker->keys[i].tables);
        made->columns[i].nullable = false; // NULL equals nothing: left out
    }
    for (size_t i = 0; i < maker->tables_values.n; i++)
        add_column(made, maker->tables_values.items[i]);
    if (native->tables == NULL)
        *read = *made;
}

static void make_tables_side(struct native_maker *maker, struct native_plan *native)
{
    if (maker->tables_filter.n + maker->tables_match.n > 0 ||
        !all_columns(maker, READS_TABLES))
        make_tables_program(maker, native);
    else
        read_plain_columns(maker);
    native->dimension_sql = dimension_sql(maker);
    make_schemas(maker, native);
}

static void make_stream_side(struct native_maker *maker, bool has_program,
                             struct native_plan *native)
{
    if (has_program) {
        make_stream_program(maker, native);
        return;
    }
    size_t *keys = arena_array(&maker->plan->arena, maker->n_keys + 1, sizeof(*keys));
    for (size_t i = 0; i < maker->n_keys; i++)
        keys[i] = maker->keys[i].stream->column;
    native->stream_keys = keys;
    native->stream_schema = maker->stream->schema;
}

static struct native_plan *make(struct native_maker *maker)
{
    struct native_plan *native = arena_zalloc(&maker->plan->arena, sizeof(*native));
    bool has_program = maker->stream_filter.n + maker->stream_match.n > 0 ||
                       !all_columns(maker, READS_STREAM);
    native->has_join = maker->tables != NULL;
    native->left = maker->left;
    native->n_keys = maker->n_keys;
    place_outputs(maker, has_program, native);
    make_stream_side(maker, has_program, native);
    if (native->has_join)
        make_tables_side(maker, native);
    return native;
}

void native_plan_make(struct plan *plan, const struct query *query)
{
    struct native_maker maker = {.plan = plan, .query = query};
    if (query->set_op != SET_NONE) {
        plan->native_why = STR_LITERAL("The query is a UNION ALL.");
        return;
    }
    native_take_from(&maker);
    check_outputs(&maker);
    need_key(&maker);
    if (maker.why == NULL)
        plan->native = make(&maker);
    else
        plan->native_why = str_of(maker.why);
    free(maker.stream_filter.items);
    free(maker.stream_match.items);
    free(maker.tables_filter.items);
    free(maker.tables_match.items);
    free(maker.stream_values.items);
    free(maker.tables_values.items);
    free(maker.reads.items);
}
