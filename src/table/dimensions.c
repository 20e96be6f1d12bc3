// SPDX-License-Identifier: Apache-2.0
#include "table/dimensions.h"

#include <stdlib.h>

#include "core/value_row.h"
#include "table/dimension_weave.h"

bool dimensions_is_shared(const struct dimensions *dimensions, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (dimensions->items[k] == dimensions->items[i])
            return true;
    return false;
}

// What a dimension is built for.
struct use {
    const struct native_branch *branch;
    size_t join;
    bool is_step; // its rows are kept as values
};

struct building {
    struct dimensions dimensions;
    struct use *uses; // of each item
    struct table_store *store;
    const struct dimension_options *options;
};

// Whether two joins give the same columns of the result.
static bool same_outputs(const struct use *a, const struct use *b)
{
    size_t side_a = SIDE_DIMENSION + a->join, side_b = SIDE_DIMENSION + b->join;
    if (a->branch->n_outputs != b->branch->n_outputs)
        return false;
    for (size_t i = 0; i < a->branch->n_outputs; i++) {
        const struct output *of_a = &a->branch->outputs[i],
                            *of_b = &b->branch->outputs[i];
        bool is_a = of_a->side == side_a, is_b = of_b->side == side_b;
        if (is_a != is_b || (is_a && of_a->column != of_b->column))
            return false;
    }
    return true;
}

static bool same_use(const struct use *a, const struct use *b)
{
    const struct native_join *join_a = &a->branch->joins[a->join];
    const struct native_join *join_b = &b->branch->joins[b->join];
    return a->is_step == b->is_step && join_a->left == join_b->left &&
           str_eq(join_a->meaning, join_b->meaning) && same_outputs(a, b);
}

static struct dimension *find_same(const struct building *building, const struct use *use)
{
    for (size_t i = 0; i < building->dimensions.n; i++)
        if (same_use(&building->uses[i], use))
            return building->dimensions.items[i];
    return NULL;
}

// Row by row.
static enum status build_rows(struct building *building, const struct use *use,
                              struct row_format *row_format,
                              const struct dimension_options *options,
                              struct dimension **ret, struct err *err)
{
    AUTO(rows_auto_close) struct rows *rows = NULL;
    const struct native_join *join = &use->branch->joins[use->join];
    TRY(table_store_join(building->store, join, &rows, err));
    return dimension_build(use->branch, use->join, rows, row_format, options, ret, err);
}

static enum status build_any(struct building *building, const struct use *use,
                             struct row_format *row_format, struct dimension **ret,
                             struct err *err)
{
    struct dimension_options own = *building->options;
    own.store = building->store;
    TRY(dimension_weave(use->branch, use->join, building->store, row_format, &own, ret,
                        err));
    return *ret != NULL ? ST_OK : build_rows(building, use, row_format, &own, ret, err);
}

static enum status build(struct building *building, const struct use *use,
                         struct row_format *row_format, struct dimension **ret,
                         struct err *err)
{
    const struct native_join *join = &use->branch->joins[use->join];
    enum status rc = build_any(building, use, row_format, ret, err);
    if (rc == ST_DATA)
        return table_store_at_views(building->store, join, rc, err);
    TRY(rc);
    building->store->n_bytes += (*ret)->stats.memory_bytes;
    return ST_OK;
}

static enum status add(struct building *building, const struct use *use,
                       struct row_format *row_format, struct err *err)
{
    struct dimensions *dimensions = &building->dimensions;
    struct dimension *dimension = find_same(building, use);
    if (dimension == NULL)
        TRY(build(building, use, row_format, &dimension, err));
    building->uses[dimensions->n] = *use;
    dimensions->items[dimensions->n++] = dimension;
    return ST_OK;
}

// What a step looks up is kept as values.
static enum status add_step(struct building *building, const struct native_step *step,
                            struct err *err)
{
    struct row_format row_format;
    value_row_format_init(&row_format, &step->schema);
    return add(building, &(struct use){&step->table, 0, true}, &row_format, err);
}

static enum status add_branch(struct building *building,
                              const struct native_branch *branch,
                              struct row_format *row_format, struct err *err)
{
    for (size_t i = 0; i < native_n_steps(branch); i++)
        if (branch->steps->items[i].kind != STEP_SQLITE)
            TRY(add_step(building, &branch->steps->items[i], err));
    for (size_t join = 0; join < branch->n_joins; join++)
        TRY(add(building, &(struct use){branch, join, false}, row_format, err));
    return ST_OK;
}

static enum status add_all(struct building *building, const struct native_plan *native,
                           struct row_format *row_format, struct err *err)
{
    for (size_t i = 0; i < native->n_branches; i++)
        TRY(add_branch(building, &native->branches[i], row_format, err));
    return ST_OK;
}

enum status dimensions_build(const struct native_plan *native, struct table_store *store,
                             struct row_format *row_format,
                             const struct dimension_options *options,
                             struct dimensions *ret, struct err *err)
{
    struct building building = {.store = store, .options = options};
    size_t most = 0;
    for (size_t i = 0; i < native->n_branches; i++)
        most += native_n_dimensions(&native->branches[i]);
    building.dimensions.items = mem_array(most + 1, sizeof(struct dimension *));
    building.uses = mem_array(most + 1, sizeof(*building.uses));
    enum status rc = add_all(&building, native, row_format, err);
    if (rc != ST_OK)
        dimensions_release(&building.dimensions);
    else
        *ret = building.dimensions;
    free(building.uses);
    return rc;
}

void dimensions_release(struct dimensions *dimensions)
{
    for (size_t i = 0; i < dimensions->n; i++)
        if (!dimensions_is_shared(dimensions, i))
            dimension_free(dimensions->items[i]);
    free(dimensions->items);
    *dimensions = (struct dimensions){0};
}
