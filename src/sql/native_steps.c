// SPDX-License-Identifier: Apache-2.0
// Steps in the making: which condition of a join goes where, the wide row, and the
// programs over it.
#include <stdlib.h>

#include "sql/bind.h"
#include "sql/compile.h"
#include "sql/native_maker.h"

static struct from *new_flag(struct native_maker *maker, enum step_kind kind)
{
    struct arena *arena = &maker->plan->arena;
    struct from *flag = arena_zalloc(arena, sizeof(*flag));
    flag->schema.columns = arena_array(arena, 1, sizeof(*flag->schema.columns));
    flag->schema.columns[0] =
        (struct column){.name = STR_LITERAL("match"),
                        .type = kind == STEP_EXISTS ? TYPE_BOOLEAN : TYPE_INT};
    flag->schema.n = 1;
    return flag;
}

struct step_maker *native_add_step(struct native_maker *maker, enum step_kind kind,
                                   struct from *tables)
{
    struct step_maker *step = arena_zalloc(&maker->plan->arena, sizeof(*step));
    if (maker->n_steps == STEPS_MAX)
        native_refuse(maker, "More than 64 joins and subqueries are run row by row.");
    else
        maker->steps[maker->n_steps++] = step;
    step->kind = kind;
    step->join.tables = tables;
    step->flag = new_flag(maker, kind);
    if (kind > STEP_LEFT)
        step->flag_place = maker->n_wide++;
    return step;
}

// What an expression reads.

struct reading {
    const struct native_maker *maker;
    const struct step_maker *own;
    bool reads_own, reads_others;
    size_t stage;
};

// The step that gives a column, and those before it, make the stage of what reads it; 0
// is the stream's.
static size_t stage_of_leaf(const struct native_maker *maker, const struct from *leaf)
{
    for (size_t i = 0; i < maker->n_steps; i++) {
        const struct step_maker *step = maker->steps[i];
        if (step->flag == leaf ||
            (step->kind != STEP_EXISTS && native_has_leaf(step->join.tables, leaf)))
            return i + 1;
    }
    return 0;
}

static void note_reading(struct expr *expr, void *arg)
{
    struct reading *reading = arg;
    if (expr->kind == EXPR_COLUMN) {
        bool is_own = reading->own != NULL &&
                      native_has_leaf(reading->own->join.tables, expr->leaf);
        size_t stage = stage_of_leaf(reading->maker, expr->leaf);
        reading->reads_own |= is_own;
        reading->reads_others |= !is_own;
        reading->stage = stage > reading->stage ? stage : reading->stage;
    }
    if (expr->kind == EXPR_CALL && expr->function->call == time_now)
        reading->reads_others = true;
    expr_each(expr, note_reading, reading);
}

static struct reading read_expr(const struct native_maker *maker,
                                const struct step_maker *own, const struct expr *expr)
{
    struct reading reading = {.maker = maker, .own = own};
    note_reading((struct expr *)(uintptr_t)expr, &reading); // reads only
    return reading;
}

// What a later step gives cannot be asked for before.
static bool reads_later(const struct native_maker *maker, const struct step_maker *step,
                        const struct expr *expr)
{
    size_t stage = read_expr(maker, NULL, expr).stage;
    for (size_t i = 0; i + 1 < stage; i++)
        if (maker->steps[i] == step)
            return true;
    return false;
}

// Conditions.

static bool add_key(struct native_maker *maker, struct step_maker *step,
                    const struct expr *others, const struct expr *own)
{
    struct join_maker *join = &step->join;
    bool is_key = !read_expr(maker, step, others).reads_own &&
                  !read_expr(maker, step, own).reads_others &&
                  read_expr(maker, step, own).reads_own && !compile_can_fail(own) &&
                  join->n_keys < KEYS_MAX && !reads_later(maker, step, others);
    if (!is_key)
        return false;
    join->keys[join->n_keys++] = (struct key){others, own};
    return true;
}

void native_step_condition(struct native_maker *maker, struct step_maker *step,
                           const struct expr *condition)
{
    struct reading reading = read_expr(maker, step, condition);
    bool equality = condition->kind == EXPR_OP && condition->op == OP_EQ;
    int joins =
        native_reads(maker, condition) & ~(READS_STREAM | reads_join(maker->n_joins));
    if (joins != 0)
        native_step_instead(maker, joins);
    if (!reading.reads_others && reading.reads_own && !compile_can_fail(condition)) {
        exprs_add(&step->join.match, condition);
        return;
    }
    if (equality && reading.reads_own && reading.reads_others &&
        (add_key(maker, step, condition->args[0], condition->args[1]) ||
         add_key(maker, step, condition->args[1], condition->args[0])))
        return;
    // ON says what a match is; what it says of others alone is a filter before.
    bool is_filter = step->kind == STEP_INNER &&
                     (!reading.reads_own || reads_later(maker, step, condition));
    exprs_add(is_filter ? &maker->stream_filter : &step->residual, condition);
}

// The wide row.

static uint32_t value_place(struct native_maker *maker, struct step_maker *step,
                            const struct from *leaf, size_t column)
{
    for (size_t i = 0; i < step->values.n; i++)
        if (step->values.items[i]->leaf == leaf &&
            step->values.items[i]->column == column)
            return (uint32_t)step->places[i];
    struct expr *expr = arena_zalloc(&maker->plan->arena, sizeof(*expr));
    expr->kind = EXPR_COLUMN;
    expr->leaf = leaf;
    expr->column = column;
    expr->type = leaf->schema.columns[column].type;
    expr->nullable = true;
    MEM_GROW(step->places, step->values.n, step->places_capacity);
    step->places[step->values.n] = maker->n_wide;
    exprs_add(&step->values, expr);
    return (uint32_t)maker->n_wide++;
}

uint32_t native_wide_place(void *arg, const struct from *leaf, size_t column)
{
    const struct wide *wide = arg;
    struct native_maker *maker = wide->maker;
    if (leaf == maker->stream)
        return (uint32_t)column;
    if (wide->step != NULL && native_has_leaf(wide->step->join.tables, leaf))
        return value_place(maker, wide->step, leaf, column);
    struct step_maker *step = maker->steps[stage_of_leaf(maker, leaf) - 1];
    if (step->flag == leaf)
        return (uint32_t)(step->flag_place + column);
    return value_place(maker, step, leaf, column);
}

// Programs.

static const struct program *compile_all(struct native_maker *maker,
                                         struct step_maker *step,
                                         const struct exprs *conditions)
{
    struct compiler compiler;
    struct wide wide = {maker, step};
    if (conditions->n == 0)
        return NULL;
    compiler_init(&compiler, &maker->plan->arena, native_wide_place, &wide);
    compile_condition(&compiler, PART_FILTER, conditions->items, conditions->n);
    return compiler_finish(&compiler);
}

static const struct program *compile_keys(struct native_maker *maker,
                                          const struct join_maker *join)
{
    struct compiler compiler;
    struct wide wide = {maker, NULL};
    compiler_init(&compiler, &maker->plan->arena, native_wide_place, &wide);
    for (size_t i = 0; i < join->n_keys; i++)
        compile_value(&compiler, part_keys(0), join->keys[i].stream);
    return compiler_finish(&compiler);
}

// Each condition as early as it can be computed.
static void place_filters(struct native_maker *maker)
{
    for (size_t i = 0; i < maker->stream_filter.n; i++) {
        const struct expr *condition = maker->stream_filter.items[i];
        size_t stage = read_expr(maker, NULL, condition).stage;
        exprs_add(stage == 0 ? &maker->first_filter : &maker->steps[stage - 1]->filter,
                  condition);
    }
    maker->stream_filter.n = 0;
}

void native_compile_steps(struct native_maker *maker, struct native_steps *steps)
{
    struct native_step *items =
        arena_array(&maker->plan->arena, maker->n_steps, sizeof(*items));
    place_filters(maker);
    steps->filter = compile_all(maker, NULL, &maker->first_filter);
    for (size_t i = 0; i < maker->n_steps; i++) {
        struct step_maker *step = maker->steps[i];
        if (step->kind != STEP_SQLITE)
            native_need_key(maker, &step->join);
        items[i].kind = step->kind;
        items[i].asked = step->asked;
        items[i].keys = compile_keys(maker, &step->join);
        items[i].matches = compile_all(maker, step, &step->residual);
        items[i].filter = compile_all(maker, NULL, &step->filter);
        items[i].flag_place = step->flag_place;
    }
    steps->items = items;
    steps->n = maker->n_steps;
}

// The step's table: a branch of one join, whose outputs are the values.
static void finish_table(struct native_maker *maker, struct step_maker *step,
                         struct native_step *ret)
{
    struct arena *arena = &maker->plan->arena;
    size_t n = step->values.n;
    struct output *outputs = arena_array(arena, n + 1, sizeof(*outputs));
    struct native_join *join = arena_zalloc(arena, sizeof(*join));
    size_t *places = arena_array(arena, n + 1, sizeof(*places));
    ret->schema.columns = arena_array(arena, n + 1, sizeof(struct column));
    for (size_t i = 0; i < n; i++) {
        const struct expr *value = step->values.items[i];
        size_t column = native_tables_place(&step->join, value);
        outputs[i] = (struct output){SIDE_DIMENSION, column};
        places[i] = step->places[i];
        ret->schema.columns[ret->schema.n++] = native_column_of(value);
    }
    if (n == 0) // how many rows there are matters all the same
        outputs[0] = (struct output){SIDE_STREAM, 0};
    native_make_join(maker, &step->join, true, join);
    ret->places = places;
    ret->table = (struct native_branch){
        .joins = join, .n_joins = 1, .outputs = outputs, .n_outputs = n > 0 ? n : 1};
}

void native_finish_steps(struct native_maker *maker, struct native_steps *steps)
{
    struct native_step *items = (struct native_step *)(uintptr_t)steps->items; // ours
    for (size_t i = 0; i < steps->n; i++)
        if (items[i].kind != STEP_SQLITE)
            finish_table(maker, maker->steps[i], &items[i]);
    steps->n_columns = maker->n_wide;
}

void native_release_steps(struct native_maker *maker)
{
    for (size_t i = 0; i < maker->n_steps; i++) {
        struct step_maker *step = maker->steps[i];
        native_release_join(&step->join);
        free(step->residual.items);
        free(step->filter.items);
        free(step->values.items);
        free(step->places);
    }
}
