// SPDX-License-Identifier: Apache-2.0
// A branch as data: which expression is computed where, as JSON with stable names
// (docs/architecture.md, "The plan as data"). For `explain --json`, and for whoever runs
// the stream's side elsewhere and prints it in a dialect of their own.
#include <jansson.h>
#include <stdlib.h>

#include "base/text.h"
#include "sql/bind.h"
#include "sql/native_maker.h"

static const char *const op_names[] = {
    [OP_ADD] = "+",
    [OP_SUB] = "-",
    [OP_MUL] = "*",
    [OP_DIV] = "/",
    [OP_MOD] = "%",
    [OP_NEG] = "negate",
    [OP_CONCAT] = "||",
    [OP_EQ] = "=",
    [OP_NE] = "<>",
    [OP_LT] = "<",
    [OP_LE] = "<=",
    [OP_GT] = ">",
    [OP_GE] = ">=",
    [OP_DISTINCT] = "is distinct from",
    [OP_NOT_DISTINCT] = "is not distinct from",
    [OP_AND] = "and",
    [OP_OR] = "or",
    [OP_NOT] = "not",
    [OP_LIKE] = "like",
    [OP_BETWEEN] = "between",
    [OP_IS_NULL] = "is null",
    [OP_IS_NOT_NULL] = "is not null",
    [OP_IS_TRUE] = "is true",
    [OP_IS_NOT_TRUE] = "is not true",
    [OP_IS_FALSE] = "is false",
    [OP_IS_NOT_FALSE] = "is not false",
    [OP_COALESCE] = "coalesce",
    [OP_NULLIF] = "nullif",
    [OP_GREATEST] = "greatest",
    [OP_LEAST] = "least",
};

static json_t *text(struct str s)
{
    AUTO(buf_release) struct buf utf8 = {0};
    text_utf8(&utf8, s);
    return json_string(buf_cstr(&utf8));
}

static json_t *numbered(const char *what, size_t i)
{
    return json_sprintf("%s %zu", what, i);
}

// Expressions.

// What reads columns: the stream's side, or the tables' of a join or step.
struct reader {
    const struct native_maker *maker;
    bool is_tables;
    const struct step_maker *own; // whose matches the expression is about; NULL: none's
};

static json_t *expr_data(const struct reader *reader, const struct expr *expr);

static json_t *list_data(const struct reader *reader, struct expr *const *items, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, expr_data(reader, items[i]));
    return list;
}

static json_t *exprs_data(const struct reader *reader, const struct exprs *exprs)
{
    json_t *list = json_array();
    for (size_t i = 0; i < exprs->n; i++)
        json_array_append_new(list, expr_data(reader, exprs->items[i]));
    return list;
}

// A REAL is its text: JSON's numbers are rounded on their way.
static json_t *constant_data(struct value value)
{
    AUTO(buf_release) struct buf real = {0};
    switch (value.kind) {
    case VALUE_TEXT:
        return text(value_str(value));
    case VALUE_INT:
        return json_integer(value.i);
    case VALUE_REAL:
        value_format(value, &real);
        return json_string(buf_cstr(&real));
    case VALUE_BOOL:
        return json_boolean(value.i != 0);
    default:
        return json_null();
    }
}

static size_t value_index(const struct step_maker *step, const struct expr *expr)
{
    size_t i = 0;
    while (i < step->values.n && !(step->values.items[i]->leaf == expr->leaf &&
                                   step->values.items[i]->column == expr->column))
        i++;
    return i;
}

// The step that gives a column, as native_wide_place finds it.
static size_t step_of(const struct reader *reader, const struct from *leaf)
{
    const struct native_maker *maker = reader->maker;
    size_t i = 0;
    for (; i + 1 < maker->n_steps; i++) {
        const struct step_maker *step = maker->steps[i];
        bool is_seen =
            step == reader->own ||
            (step->kind != STEP_EXISTS &&
             (reader->own == NULL || !native_has_leaf(reader->own->join.tables, leaf)));
        if (step->flag == leaf || (is_seen && native_has_leaf(step->join.tables, leaf)))
            break;
    }
    return i;
}

static void step_column(json_t *object, const struct reader *reader,
                        const struct expr *expr)
{
    size_t i = step_of(reader, expr->leaf);
    const struct step_maker *step = reader->maker->steps[i];
    json_object_set_new(object, "of", numbered("step", i));
    json_object_set_new(object, "column",
                        step->flag == expr->leaf
                            ? text(expr->leaf->schema.columns[expr->column].name)
                            : numbered("value", value_index(step, expr)));
}

static json_t *column_data(const struct reader *reader, const struct expr *expr)
{
    json_t *object = json_object();
    struct str name = expr->leaf->schema.columns[expr->column].name;
    json_object_set_new(object, "column", text(name));
    if (reader->is_tables)
        json_object_set_new(object, "of", text(expr->leaf->label));
    else if (expr->leaf == reader->maker->stream)
        json_object_set_new(object, "of", json_string("stream"));
    else
        step_column(object, reader, expr);
    return object;
}

static json_t *case_data(const struct reader *reader, const struct expr *expr)
{
    json_t *object = json_object(), *when = json_array();
    size_t i = 0;
    for (; i + 1 < expr->n_args; i += 2)
        json_array_append_new(when, list_data(reader, expr->args + i, 2));
    json_object_set_new(object, "case", when);
    if (expr->subject != NULL)
        json_object_set_new(object, "subject", expr_data(reader, expr->subject));
    if (i < expr->n_args)
        json_object_set_new(object, "else", expr_data(reader, expr->args[i]));
    return object;
}

static json_t *op_data(const struct reader *reader, const struct expr *expr)
{
    json_t *object = json_pack("{ss so}", "op", op_names[expr->op], "args",
                               list_data(reader, expr->args, expr->n_args));
    if (expr->op == OP_LIKE)
        json_object_set_new(object, "escape", text(value_str(expr->constant)));
    return object;
}

static json_t *untyped_data(const struct reader *reader, const struct expr *expr)
{
    json_t *args = NULL;
    switch (expr->kind) {
    case EXPR_COLUMN:
        return column_data(reader, expr);
    case EXPR_CONST:
        return json_pack("{so}", "constant", constant_data(expr->constant));
    case EXPR_OP:
        return op_data(reader, expr);
    case EXPR_CASE:
        return case_data(reader, expr);
    default:
        break;
    }
    args = list_data(reader, expr->args, expr->n_args);
    if (expr->kind == EXPR_CAST)
        return json_pack("{ss so}", "cast", type_name(expr->cast_to), "args", args);
    if (expr->kind == EXPR_CALL)
        return json_pack("{ss so}", "call", expr->function->name, "args", args);
    return json_pack("{ss so}", "op", "in", "args", args); // EXPR_IN_LIST
}

static json_t *expr_data(const struct reader *reader, const struct expr *expr)
{
    json_t *object = untyped_data(reader, expr);
    json_object_set_new(object, "type", json_string(type_name(expr->type)));
    return object;
}

// Joins and steps.

static json_t *keys_data(const struct native_maker *maker, const struct join_maker *join)
{
    const struct reader stream = {maker, false, NULL}, tables = {maker, true, NULL};
    json_t *keys = json_array();
    for (size_t i = 0; i < join->n_keys; i++)
        json_array_append_new(
            keys, json_pack("{so so}", "stream", expr_data(&stream, join->keys[i].stream),
                            "tables", expr_data(&tables, join->keys[i].tables)));
    return keys;
}

static json_t *tables_data(const struct native_maker *maker,
                           const struct join_maker *join, const struct native_join *made,
                           const struct exprs *values)
{
    const struct reader tables = {maker, true, NULL};
    return json_pack("{so so so so}", "sql", text(made->sql), "conditions",
                     exprs_data(&tables, &join->match), "filter",
                     exprs_data(&tables, &join->filter), "values",
                     exprs_data(&tables, values));
}

static json_t *parameters_data(const struct native_maker *maker,
                               const struct join_maker *join)
{
    const struct reader stream = {maker, false, NULL};
    json_t *list = json_array();
    for (size_t i = 0; i < join->n_keys; i++)
        json_array_append_new(list, expr_data(&stream, join->keys[i].stream));
    return list;
}

static json_t *asked_data(const struct native_maker *maker, const struct step_maker *step)
{
    const struct reader stream = {maker, false, NULL};
    return json_pack("{ss so so so}", "kind", "sqlite", "sql", text(step->asked->sql),
                     "parameters", parameters_data(maker, &step->join), "filter",
                     exprs_data(&stream, &step->filter));
}

static json_t *step_data(const struct native_maker *maker, const struct step_maker *step,
                         const struct native_join *made)
{
    static const char *const kinds[] = {[STEP_INNER] = "inner",
                                        [STEP_LEFT] = "left",
                                        [STEP_EXISTS] = "exists",
                                        [STEP_SINGLE] = "single"};
    const struct reader stream = {maker, false, NULL}, matches = {maker, false, step};
    if (step->kind == STEP_SQLITE)
        return asked_data(maker, step);
    return json_pack("{ss so so so so}", "kind", kinds[step->kind], "keys",
                     keys_data(maker, &step->join), "conditions",
                     exprs_data(&matches, &step->residual), "filter",
                     exprs_data(&stream, &step->filter), "tables",
                     tables_data(maker, &step->join, made, &step->values));
}

static json_t *steps_data(const struct native_maker *maker,
                          const struct native_branch *branch)
{
    json_t *steps = json_array();
    for (size_t i = 0; i < maker->n_steps; i++)
        json_array_append_new(steps, step_data(maker, maker->steps[i],
                                               branch->steps->items[i].table.joins));
    return steps;
}

static json_t *joins_data(const struct native_maker *maker,
                          const struct native_branch *branch)
{
    const struct reader stream = {maker, false, NULL};
    json_t *joins = json_array();
    for (size_t i = 0; i < maker->n_joins; i++) {
        const struct join_maker *join = &maker->joins[i];
        json_array_append_new(
            joins, json_pack("{ss so so so}", "kind", join->left ? "left" : "inner",
                             "keys", keys_data(maker, join), "conditions",
                             exprs_data(&stream, &join->stream_match), "tables",
                             tables_data(maker, join, &branch->joins[i], &join->values)));
    }
    return joins;
}

// Outputs.

static json_t *join_value(const struct native_maker *maker, size_t join, size_t column)
{
    size_t n_keys = maker->joins[join].n_keys;
    bool is_key = column < n_keys;
    return json_pack(
        "{so so}", "column",
        numbered(is_key ? "key" : "value", is_key ? column : column - n_keys), "of",
        numbered("join", join));
}

static json_t *output_data(const struct native_maker *maker, const struct output *output,
                           const struct expr *expr)
{
    const struct reader stream = {maker, false, NULL};
    if (output->side == SIDE_STREAM)
        return expr_data(&stream, expr);
    json_t *object = join_value(maker, output->side - SIDE_DIMENSION, output->column);
    json_object_set_new(object, "type", json_string(type_name(expr->type)));
    return object;
}

static json_t *outputs_data(const struct native_maker *maker,
                            const struct native_branch *branch)
{
    json_t *outputs = json_array();
    for (size_t i = 0; i < branch->n_outputs; i++)
        json_array_append_new(
            outputs,
            json_pack("{so so}", "name", text(maker->plan->output.columns[i].name),
                      "expr",
                      output_data(maker, &branch->outputs[i], maker->outputs.items[i])));
    return outputs;
}

struct str native_branch_data(const struct native_maker *maker,
                              const struct native_branch *branch)
{
    const struct reader stream = {maker, false, NULL};
    const struct exprs *filter =
        branch->steps != NULL ? &maker->first_filter : &maker->stream_filter;
    json_t *data =
        json_pack("{so so so so}", "filter", exprs_data(&stream, filter), "steps",
                  steps_data(maker, branch), "joins", joins_data(maker, branch),
                  "outputs", outputs_data(maker, branch));
    char *dumped = json_dumps(data, JSON_COMPACT);
    struct str ret = arena_str(&maker->plan->arena, str_of(dumped));
    free(dumped);
    json_decref(data);
    return ret;
}
