// SPDX-License-Identifier: Apache-2.0
#include "table/dimensions.h"

#include <stdlib.h>

#include "table/value_encoder.h"

static void rows_close(struct rows **rows)
{
    if (*rows != NULL)
        (*rows)->ops->close(*rows);
}

static size_t memory_bytes(const struct dimensions *dimensions)
{
    size_t bytes = 0;
    for (size_t i = 0; i < dimensions->n; i++)
        bytes += dimensions->items[i]->stats.memory_bytes;
    return bytes;
}

static enum status add(struct dimensions *dimensions, const struct native_branch *branch,
                       size_t join, struct sqlite_host *host, struct encoder *encoder,
                       const struct dimension_options *options, struct err *err)
{
    AUTO(rows_close) struct rows *rows = NULL;
    struct dimension_options own = *options;
    size_t used = memory_bytes(dimensions);
    if (own.limit_bytes > 0)
        own.limit_bytes = used < own.limit_bytes ? own.limit_bytes - used : 1;
    TRY(sqlite_host_query(host, branch->joins[join].sql, &branch->joins[join].read_schema,
                          &rows, err));
    TRY(dimension_build(branch, join, rows, encoder, &own,
                        &dimensions->items[dimensions->n], err));
    dimensions->n++;
    return ST_OK;
}

// What a step looks up is kept as values.
static enum status add_step(struct dimensions *dimensions, const struct native_step *step,
                            struct sqlite_host *host,
                            const struct dimension_options *options, struct err *err)
{
    struct encoder encoder;
    value_encoder_init(&encoder, &step->schema);
    return add(dimensions, &step->table, 0, host, &encoder, options, err);
}

static enum status add_branch(struct dimensions *dimensions,
                              const struct native_branch *branch,
                              struct sqlite_host *host, struct encoder *encoder,
                              const struct dimension_options *options, struct err *err)
{
    for (size_t i = 0; branch->steps != NULL && i < branch->steps->n; i++)
        TRY(add_step(dimensions, &branch->steps->items[i], host, options, err));
    for (size_t join = 0; join < branch->n_joins; join++)
        TRY(add(dimensions, branch, join, host, encoder, options, err));
    return ST_OK;
}

static enum status add_all(struct dimensions *dimensions,
                           const struct native_plan *native, struct sqlite_host *host,
                           struct encoder *encoder,
                           const struct dimension_options *options, struct err *err)
{
    for (size_t i = 0; i < native->n_branches; i++)
        TRY(add_branch(dimensions, &native->branches[i], host, encoder, options, err));
    return ST_OK;
}

enum status dimensions_build(const struct native_plan *native, struct sqlite_host *host,
                             struct encoder *encoder,
                             const struct dimension_options *options,
                             struct dimensions *ret, struct err *err)
{
    struct dimensions dimensions = {0};
    size_t most = 0;
    for (size_t i = 0; i < native->n_branches; i++)
        most += native_n_dimensions(&native->branches[i]);
    dimensions.items = mem_array(most + 1, sizeof(*dimensions.items));
    enum status rc = add_all(&dimensions, native, host, encoder, options, err);
    if (rc != ST_OK)
        dimensions_release(&dimensions);
    else
        *ret = dimensions;
    return rc;
}

void dimensions_release(struct dimensions *dimensions)
{
    for (size_t i = 0; i < dimensions->n; i++)
        dimension_free(dimensions->items[i]);
    free(dimensions->items);
    *dimensions = (struct dimensions){0};
}
