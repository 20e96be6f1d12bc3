// SPDX-License-Identifier: Apache-2.0
#include "table/columns.h"

#include <stdlib.h>

#include "base/word.h"

enum {
    RECENT_BITS = 10,
    RECENT = 1 << RECENT_BITS // values of a column that are looked at
};

static const size_t VALUES_LIMIT = (size_t)UINT32_MAX * VALUE_ALIGNMENT;

void columns_init(struct columns *columns, const struct schema *schema,
                  const size_t *wanted, size_t n_wanted)
{
    static const char none[VALUE_ALIGNMENT] = {0}; // no value is at 0
    *columns = (struct columns){.n_columns = n_wanted, .values = BUF_INIT(VALUES_LIMIT)};
    columns->items = mem_array(n_wanted + 1, sizeof(*columns->items));
    for (size_t i = 0; i < n_wanted; i++)
        columns->items[i] = (struct column_cells){
            .from = wanted[i],
            .kind = type_kind(schema->columns[wanted[i]].type),
            .recent = mem_array(RECENT, sizeof(uint32_t)),
        };
    buf_append(&columns->values, none, sizeof(none));
}

void columns_release(struct columns *columns)
{
    for (size_t i = 0; i < columns->n_columns; i++) {
        free(columns->items[i].cells);
        free(columns->items[i].recent);
    }
    free(columns->items);
    buf_release(&columns->values);
    *columns = (struct columns){0};
}

static void grow(struct columns *columns)
{
    columns->capacity = columns->capacity ? 2 * columns->capacity : BATCH_LOOK;
    for (size_t i = 0; i < columns->n_columns; i++)
        columns->items[i].cells = mem_resize(columns->items[i].cells, columns->capacity,
                                             sizeof(*columns->items[i].cells));
}

// The value's bytes as they are stored, but for a length in front.
static struct str bytes_of(const struct value *value)
{
    if (value->kind == VALUE_TEXT || value->kind == VALUE_BYTES)
        return (struct str){value->n ? value->p : "", value->n};
    return (struct str){(const char *)&value->i, sizeof(value->i)};
}

static bool is_at(const struct columns *columns, uint32_t cell, bool has_length,
                  struct str bytes)
{
    const char *p = columns->values.p + (size_t)cell * VALUE_ALIGNMENT;
    uint32_t n = (uint32_t)bytes.n;
    if (has_length)
        memcpy(&n, p, sizeof(n));
    return word_str_eq((struct str){has_length ? p + sizeof(n) : p, n}, bytes);
}

// Where a value is looked for: by its first and last bytes and some between, which is
// enough for what is only a guess, and a third of the work of a hash of all.
static size_t place_of(struct str bytes)
{
    size_t n = bytes.n < WORD_BYTES ? bytes.n : WORD_BYTES;
    uint64_t mixed = word_load_some(bytes.p, n) ^ bytes.n;
    mixed *= UINT64_C(0x9E3779B97F4A7C15);
    mixed += word_load_some(bytes.p + bytes.n - n, n);
    if (bytes.n > 2 * WORD_BYTES)
        mixed ^= word_load(bytes.p + (bytes.n - WORD_BYTES) / 2);
    return mixed * UINT64_C(0xC2B2AE3D27D4EB4F) >> (64 - RECENT_BITS);
}

// 0 when it does not fit.
static uint32_t store(struct columns *columns, bool has_length, struct str bytes)
{
    static const char zeros[VALUE_ALIGNMENT] = {0};
    uint32_t cell = (uint32_t)(columns->values.n / VALUE_ALIGNMENT);
    uint32_t n = (uint32_t)bytes.n;
    if (has_length)
        buf_append(&columns->values, &n, sizeof(n));
    buf_str(&columns->values, bytes);
    buf_append(&columns->values, zeros, -bytes.n % VALUE_ALIGNMENT);
    return columns->values.full ? 0 : cell;
}

static uint32_t cell_of(struct columns *columns, struct column_cells *item,
                        struct value value)
{
    bool has_length = item->kind == VALUE_TEXT || item->kind == VALUE_BYTES;
    if (item->kind == VALUE_REAL)
        value.r += 0.0; // -0 is 0, as in a table of SQLite
    struct str bytes = bytes_of(&value);
    uint32_t *recent = &item->recent[place_of(bytes)];
    if (*recent == 0 || !is_at(columns, *recent, has_length, bytes))
        *recent = store(columns, has_length, bytes);
    return *recent;
}

bool columns_add(struct columns *columns, const struct value *row)
{
    if (columns->n_rows == UINT32_MAX - 1)
        return false;
    if (columns->n_rows == columns->capacity)
        grow(columns);
    for (size_t i = 0; i < columns->n_columns; i++) {
        struct column_cells *item = &columns->items[i];
        struct value value = row[item->from];
        item->cells[columns->n_rows] =
            value.kind == VALUE_NULL ? 0 : cell_of(columns, item, value);
    }
    columns->n_rows++;
    return !columns->values.full;
}

void columns_finish(struct columns *columns)
{
    columns->capacity = columns->n_rows;
    for (size_t i = 0; i < columns->n_columns; i++) {
        struct column_cells *item = &columns->items[i];
        free(item->recent);
        item->recent = NULL;
        item->cells = mem_resize(item->cells, columns->n_rows + 1, sizeof(*item->cells));
    }
    buf_trim(&columns->values, 0);
}

size_t columns_bytes(const struct columns *columns)
{
    size_t bytes = columns->values.capacity;
    for (size_t i = 0; i < columns->n_columns; i++) {
        bytes += columns->capacity * sizeof(uint32_t);
        bytes += columns->items[i].recent ? RECENT * sizeof(uint32_t) : 0;
    }
    return bytes;
}
