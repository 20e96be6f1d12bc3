// SPDX-License-Identifier: Apache-2.0
#include "core/batch.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

void batch_init(struct batch *batch, size_t n_columns)
{
    *batch = (struct batch){.n_columns = n_columns};
}

void batch_grow(struct batch *batch)
{
    batch->capacity = batch->capacity ? batch->capacity * 2 : 64;
    batch->values = mem_resize(batch->values, batch->capacity,
                               batch->n_columns * sizeof(struct value));
    batch->records = mem_resize(batch->records, batch->capacity, sizeof(uint32_t));
    if (batch->separator != 0)
        batch->raws = mem_resize(batch->raws, batch->capacity, sizeof(struct str));
}

struct value *batch_add(struct batch *batch, uint32_t record)
{
    batch_reserve(batch);
    struct value *row = batch_spare(batch);
    memset(row, 0, batch->n_columns * sizeof(struct value));
    batch_keep(batch, record, (struct str){0});
    return row;
}

void batch_keep_raws(struct batch *batch, char separator)
{
    assert(batch->n_rows == 0);
    batch->separator = separator;
    if (batch->capacity > 0)
        batch->raws = mem_resize(batch->raws, batch->capacity, sizeof(struct str));
}

void batch_drop_last(struct batch *batch)
{
    batch->n_rows--;
}

void batch_reject(struct batch *batch, uint32_t record, struct str reason)
{
    MEM_GROW(batch->rejects, batch->n_rejects, batch->rejects_capacity);
    batch->rejects[batch->n_rejects++] =
        (struct reject){record, arena_str(&batch->arena, reason)};
}

void batch_clear(struct batch *batch)
{
    batch->n_rows = 0;
    batch->n_rejects = 0;
    batch->n_ignored = 0;
    arena_clear(&batch->arena);
}

void batch_release(struct batch *batch)
{
    free(batch->values);
    free(batch->records);
    free(batch->raws);
    free(batch->rejects);
    arena_release(&batch->arena);
    *batch = (struct batch){0};
}

enum status batch_check_row(const struct schema *schema, const struct value *row,
                            struct err *err)
{
    for (size_t i = 0; i < schema->n; i++) {
        const struct column *column = &schema->columns[i];
        if (row[i].kind == VALUE_NULL && !column->nullable)
            return err_set(err, ST_DATA, "column '%.*s' is NULL, but is NOT NULL",
                           STR_ARGS(column->name));
        if (row[i].kind != VALUE_NULL && row[i].kind != type_kind(column->type))
            return err_set(err, ST_DATA, "column '%.*s' is not %s",
                           STR_ARGS(column->name), type_name(column->type));
    }
    return ST_OK;
}
