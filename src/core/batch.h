// SPDX-License-Identifier: Apache-2.0
// Rows in memory: what a decoder or a table reader hands over.
//
// Values stand row by row: row i, column c is values[i * n_columns + c]. Text is borrowed
// from the records it was decoded from, or from the batch's own arena; both last until
// the batch is cleared. One thread at a time.
#ifndef CORE_BATCH_H
#define CORE_BATCH_H

#include "core/schema.h"

// A record that could not be made a row.
struct reject {
    uint32_t record;   // index in the run
    struct str reason; // for a person; in the batch's arena
};

struct batch {
    size_t n_columns;
    struct value *values; // n_rows * n_columns
    uint32_t *records;    // for each row the index of its record in the run (streams)
    size_t n_rows;
    size_t capacity; // rows
    struct reject *rejects;
    size_t n_rejects;
    size_t rejects_capacity;
    size_t n_ignored; // records without a row on purpose: header line, no value
    size_t limit;     // bytes after which it takes no further record; 0: none
    int64_t now_ms;   // the batch's time, for SQL's now
    // != 0: for each row the bytes of its record where they are the row's fields as a
    // row format with that separator has them (core/row_format.h); else p == NULL.
    char separator;
    struct str *raws;
    struct arena arena;
};

// Texts with blanks or tabs at their ends, in one column: how many, and the first as it
// is shown.
struct padded_texts {
    _Atomic size_t n; // written by one thread, `first` before it
    char first[64];
};

void batch_init(struct batch *batch, size_t n_columns);
// Adds a row of NULLs for that record and returns its n_columns values; they move when
// the next row is added.
struct value *batch_add(struct batch *batch, uint32_t record);
// Slow path of batch_reserve.
void batch_grow(struct batch *batch);
// Rows have raws from now on, at first without bytes. Of an empty batch.
void batch_keep_raws(struct batch *batch, char separator);
// Takes back the row that batch_add gave last.
void batch_drop_last(struct batch *batch);
// Notes that a record gave no row; `reason` is copied.
void batch_reject(struct batch *batch, uint32_t record, struct str reason);
void batch_clear(struct batch *batch); // keeps memory
void batch_release(struct batch *batch);

// ST_DATA when a value is not of its column's type, or NULL in a NOT NULL column.
enum status batch_check_row(const struct schema *schema, const struct value *row,
                            struct err *err);

enum {
    BATCH_LOOK = 16 // records between two looks at batch_is_full: a power of two
};

// Whether rows, texts and reasons take as much as the limit allows.
static inline bool batch_is_full(const struct batch *batch)
{
    size_t row_bytes = batch->n_columns * sizeof(struct value) +
                       (batch->separator != 0) * sizeof(struct str);
    return batch->limit != 0 &&
           batch->arena.n_bytes + batch->n_rows * row_bytes >= batch->limit;
}

// Room for one more row, for batch_spare.
static inline void batch_reserve(struct batch *batch)
{
    if (UNLIKELY(batch->n_rows == batch->capacity))
        batch_grow(batch);
}

static inline void batch_reserve_rows(struct batch *batch, size_t n)
{
    while (UNLIKELY(batch->capacity - batch->n_rows < n))
        batch_grow(batch);
}

// The values that batch_keep makes a row of, whatever they hold now. There is room.
static inline struct value *batch_spare(struct batch *batch)
{
    return batch->values + batch->n_rows * batch->n_columns;
}

static inline void batch_keep(struct batch *batch, uint32_t record, struct str raw)
{
    batch->records[batch->n_rows] = record;
    if (batch->separator != 0)
        batch->raws[batch->n_rows] = raw;
    batch->n_rows++;
}

static inline const struct value *batch_row(const struct batch *batch, size_t row)
{
    return batch->values + row * batch->n_columns;
}

#endif
