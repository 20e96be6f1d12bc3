// SPDX-License-Identifier: Apache-2.0
// How: the FROM is walked from the stream outwards. The first table that is joined begins
// the tables' side; one that is joined by what tables give is joined there, in SQL. Every
// condition and output is one side's alone, and goes there, or is an equality of both,
// and becomes a key.
#include "sql/native.h"

#include <stdlib.h>

#include "sql/bind.h"
#include "sql/compile.h"
#include "sql/print.h"

enum {
    KEYS_MAX = 64
};

struct exprs {
    const struct expr **items;
    size_t n, capacity;
};

struct key {
    const struct expr *stream, *tables;
};

struct native_maker {
    struct plan *plan;
    const struct query *query;
    const char *why; // not NULL: there is no hash join
    const struct from *stream;
    struct from *tables; // NULL: no join
    bool left;
    struct exprs stream_filter, stream_match, tables_filter, tables_match;
    struct key keys[KEYS_MAX];
    size_t n_keys;
    struct exprs stream_values, tables_values; // what outputs need; keys stand apart
    struct exprs reads;                        // columns that dimension_sql gives
};

static void refuse(struct native_maker *maker, const char *why)
{
    if (maker->why == NULL)
        maker->why = why;
}

static void exprs_add(struct exprs *exprs, const struct expr *expr)
{
    MEM_GROW(exprs->items, exprs->n, exprs->capacity);
    exprs->items[exprs->n++] = expr;
}

// The place of an expression in a list, which it is added to.
static size_t exprs_place(struct exprs *exprs, const struct expr *expr)
{
    for (size_t i = 0; i < exprs->n; i++)
        if (expr_equal(exprs->items[i], expr))
            return i;
    exprs_add(exprs, expr);
    return exprs->n - 1;
}

// Sides.

enum {
    READS_STREAM = 1,
    READS_TABLES = 2
};

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

static int sides_of(const struct native_maker *maker, const struct expr *expr)
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
        refuse(maker, "The join compares too many columns.");
        return;
    }
    if (compile_can_fail(tables))
        refuse(maker, "The join compares an expression over tables that may fail.");
    maker->keys[maker->n_keys++] = (struct key){stream, tables};
}

// An equality of both sides; anything else of both has no place in a hash join.
static void add_comparison(struct native_maker *maker, const struct expr *expr)
{
    if (expr->kind == EXPR_OP && expr->op == OP_EQ) {
        const struct expr *a = expr->args[0], *b = expr->args[1];
        int reads_a = sides_of(maker, a), reads_b = sides_of(maker, b);
        if (reads_a == READS_STREAM && reads_b == READS_TABLES)
            add_key(maker, a, b);
        else if (reads_a == READS_TABLES && reads_b == READS_STREAM)
            add_key(maker, b, a);
        else
            refuse(maker, "A side of the join's equality reads both stream and tables.");
        return;
    }
    refuse(maker, "The join has a condition over both stream and tables that is no "
                  "equality.");
}

static void add_where(struct native_maker *maker, const struct expr *where)
{
    struct exprs conditions = {0};
    split_and(&conditions, where);
    for (size_t i = 0; i < conditions.n; i++) {
        const struct expr *condition = conditions.items[i];
        int reads = sides_of(maker, condition);
        if (!compile_can(condition))
            refuse(maker, "The WHERE has a subquery.");
        else if (reads == (READS_STREAM | READS_TABLES))
            refuse(maker, "The WHERE has a condition over both stream and tables.");
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
        int reads = sides_of(maker, condition);
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

// A further table: joined to the others in SQL, where an error would end the job.
static void join_tables(struct native_maker *maker, struct from *tables, bool left,
                        const struct exprs *conditions)
{
    struct exprs links = {0};
    bool has_equality = false;
    for (size_t i = 0; i < conditions->n; i++) {
        const struct expr *condition = conditions->items[i];
        int reads = sides_of(maker, condition);
        if (reads == (READS_STREAM | READS_TABLES) && !left) {
            add_comparison(maker, condition);
        } else if (reads == READS_STREAM && !left) {
            exprs_add(&maker->stream_filter, condition);
        } else if ((reads & READS_STREAM) != 0) {
            refuse(maker, "A table beside the first is left joined by what the stream "
                          "gives.");
        } else {
            if (compile_can_fail(condition))
                refuse(maker, "A condition between tables may fail.");
            has_equality |= is_equality(condition);
            exprs_add(&links, condition);
        }
    }
    // NULLs of a record without a match equal nothing: it has no row then, or one.
    if (maker->left && !has_equality)
        refuse(maker,
               "A table is joined without an equality to one that is left joined.");
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
            refuse(maker, "The join's condition has a subquery.");
    if (maker->why == NULL && maker->tables == NULL)
        begin_tables(maker, tables, left, &conditions);
    else if (maker->why == NULL)
        join_tables(maker, tables, left, &conditions);
    free(conditions.items);
}

static void take_on_conditions(struct native_maker *maker, const struct from *from)
{
    if (from->kind != FROM_JOIN)
        return;
    take_on_conditions(maker, from->left);
    take_on_conditions(maker, from->right);
    if (from->on != NULL && compile_can_fail(from->on))
        refuse(maker, "A condition between tables may fail.");
}

static void find_stream(struct native_maker *maker, const struct from *from)
{
    while (from->kind == FROM_JOIN)
        from = from->left->reads_stream ? from->left : from->right;
    maker->stream = from;
    if (from->relation == NULL || !from->relation->is_stream)
        refuse(maker, "The stream is read through a view or a subquery.");
}

// From the stream outwards.
static void take_from(struct native_maker *maker, const struct from *from)
{
    if (from->kind != FROM_JOIN)
        return;
    bool on_left = from->left->reads_stream;
    struct from *tables = on_left ? from->right : from->left;
    take_from(maker, on_left ? from->left : from->right);
    take_on_conditions(maker, tables);
    take_join(maker, tables, from->join != JOIN_INNER, from->on);
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
        bool is_tables = sides_of(maker, expr) == READS_TABLES;
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
            refuse(maker, "An output has a subquery.");
        else if (sides_of(maker, expr) == (READS_STREAM | READS_TABLES))
            refuse(maker, "An output is computed from both stream and tables.");
    }
}

static void place_outputs(struct native_maker *maker, bool has_program,
                          struct native_plan *native)
{
    size_t n = maker->query->n_outputs;
    struct output *outputs = arena_array(&maker->plan->arena, n, sizeof(*outputs));
    for (size_t i = 0; i < n; i++) {
        const struct expr *expr = maker->query->outputs[i].expr;
        if (sides_of(maker, expr) == READS_TABLES)
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
    find_stream(&maker, query->from);
    if (maker.why == NULL)
        take_from(&maker, query->from);
    add_where(&maker, query->where);
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
