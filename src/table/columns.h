// SPDX-License-Identifier: Apache-2.0
// Columns in memory: the rows of a table, column by column.
//
// A column has 4 bytes a row: where the value is among the column set's values, 0 for
// NULL. A value that a column had not long ago (a route, a service, a direction) is
// stored once; so a table takes less than its file. Values read are borrowed until
// columns_release. Threads: one while rows are added, then any number may read.
#ifndef TABLE_COLUMNS_H
#define TABLE_COLUMNS_H

#include "core/batch.h"

struct column_cells {
    size_t from; // column of the rows that are added
    enum value_kind kind;
    uint32_t *cells;  // places of values, in units of VALUE_ALIGNMENT
    uint32_t *recent; // while rows are added: values by their hash
};

struct columns {
    struct column_cells *items;
    size_t n_columns, n_rows, capacity;
    struct buf values; // a length and bytes, or a number
};

enum {
    VALUE_ALIGNMENT = 4
};

// Those columns of a schema, in this order.
void columns_init(struct columns *columns, const struct schema *schema,
                  const size_t *wanted, size_t n_wanted);
void columns_release(struct columns *columns); // also of a zeroed one
// Adds a row of the schema. False when there are 4 billion rows, or 16 GiB of values.
bool columns_add(struct columns *columns, const struct value *row);
// No more rows will be added: frees what only adding needs.
void columns_finish(struct columns *columns);
size_t columns_bytes(const struct columns *columns); // of memory

static inline struct value columns_value(const struct columns *columns, size_t column,
                                         size_t row)
{
    const struct column_cells *item = &columns->items[column];
    uint32_t cell = item->cells[row];
    const char *p = columns->values.p + (size_t)cell * VALUE_ALIGNMENT;
    struct value value = {.kind = item->kind};
    if (cell == 0)
        return (struct value){0};
    if (item->kind != VALUE_TEXT && item->kind != VALUE_BYTES) {
        memcpy(&value.i, p, sizeof(value.i));
        return value;
    }
    memcpy(&value.n, p, sizeof(value.n));
    value.p = p + sizeof(value.n);
    return value;
}

#endif
