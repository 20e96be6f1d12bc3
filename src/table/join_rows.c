// SPDX-License-Identifier: Apache-2.0
#include "table/join_rows.h"

#include <stdlib.h>

#include "table/join_index.h"

enum {
    OUT_ROWS = 1024
};

struct join_rows {
    struct rows rows;
    const struct table_join *join;
    struct join_index source;
    // The rows so far.
    struct rows *left;
    size_t n_left;
    struct batch in;
    size_t block; // row of it
    size_t n_block;
    struct evaluator evaluator;
    struct selection staying; // rows of the block
    size_t at;                // one of them
    bool matches[BLOCK_ROWS]; // whether a row may
    struct buf key_bytes;
    uint32_t chain; // next row of the source + 1 for it; 0: none
    bool in_row;    // of it there may be more
};

static enum status run_block(struct join_rows *rows, struct err *err)
{
    struct evaluator *evaluator = &rows->evaluator;
    size_t left = rows->in.n_rows - rows->block;
    rows->n_block = left < BLOCK_ROWS ? left : BLOCK_ROWS;
    rows->at = 0;
    selection_all(&rows->staying, rows->n_block);
    evaluator_begin(evaluator, batch_row(&rows->in, rows->block), rows->in.n_columns, 0);
    evaluator_select(evaluator, PART_FILTER, &rows->staying);
    struct selection matching = rows->staying;
    evaluator_select(evaluator, part_match(0), &matching);
    evaluator_run(evaluator, part_keys(0), &matching);
    memset(rows->matches, 0, sizeof(rows->matches));
    for (size_t i = 0; i < matching.n; i++)
        rows->matches[matching.rows[i]] = true;
    return table_row_error(evaluator, err);
}

// The next block of the rows so far. *ret: there is one.
static enum status next_block(struct join_rows *rows, bool *ret, struct err *err)
{
    rows->block += rows->n_block;
    rows->n_block = 0;
    rows->staying.n = 0;
    if (rows->block == rows->in.n_rows) {
        rows->block = 0;
        TRY(rows->left->ops->next(rows->left, &rows->in, err));
    }
    TRY(table_store_go_on(rows->source.store, err));
    *ret = rows->in.n_rows > 0;
    return *ret ? run_block(rows, err) : ST_OK;
}

static void add_row(struct join_rows *rows, struct batch *batch)
{
    struct value *row = batch_add(batch, 0);
    size_t left_row = rows->block + rows->staying.rows[rows->at];
    memcpy(row, batch_row(&rows->in, left_row), rows->n_left * sizeof(*row));
    if (rows->chain == 0)
        return;
    for (size_t i = 0; i < rows->join->source.schema.n; i++)
        row[rows->n_left + i] = join_index_value(&rows->source, i, rows->chain - 1);
}

static enum status find_chain(struct join_rows *rows, struct err *err)
{
    struct value value;
    struct str key = {0};
    uint8_t row = rows->staying.rows[rows->at];
    if (rows->matches[row])
        key = join_key(&rows->evaluator, row, &value, &rows->key_bytes);
    rows->chain = key.p != NULL ? join_index_find(&rows->source, key) : 0;
    return join_key_check(&rows->key_bytes, err);
}

// Adds the rows of the block's row, as many as fit.
static enum status emit(struct join_rows *rows, struct batch *batch, struct err *err)
{
    if (!rows->in_row) {
        TRY(find_chain(rows, err));
        if (rows->chain == 0 && rows->join->left)
            add_row(rows, batch);
        rows->in_row = true;
    }
    for (; rows->chain != 0 && batch->n_rows < OUT_ROWS;
         rows->chain = rows->source.next[rows->chain - 1])
        add_row(rows, batch);
    if (rows->chain == 0) {
        rows->in_row = false;
        rows->at++;
    }
    return ST_OK;
}

static enum status rows_next(struct rows *base, struct batch *batch, struct err *err)
{
    struct join_rows *rows = (struct join_rows *)base;
    bool more = true;
    batch_clear(batch);
    TRY(table_store_go_on(rows->source.store, err));
    while (more && batch->n_rows < OUT_ROWS) {
        if (rows->at < rows->staying.n)
            TRY(emit(rows, batch, err));
        else if (batch->n_rows > 0 && rows->block + rows->n_block == rows->in.n_rows)
            break; // its values borrow those of the batch that would go
        else
            TRY(next_block(rows, &more, err));
    }
    return ST_OK;
}

static void rows_close(struct rows *base)
{
    struct join_rows *rows = (struct join_rows *)base;
    if (rows->left != NULL)
        rows->left->ops->close(rows->left);
    join_index_release(&rows->source);
    evaluator_release(&rows->evaluator);
    batch_release(&rows->in);
    buf_release(&rows->key_bytes);
    free(rows);
}

static const struct rows_ops ops = {.next = rows_next, .close = rows_close};

enum status join_rows_open(struct table_store *store, const struct table_join *join,
                           struct rows *left, size_t n_left, struct rows **ret,
                           struct err *err)
{
    struct join_rows *rows = mem_zalloc(sizeof(*rows));
    *rows = (struct join_rows){.rows = {.ops = &ops}, .join = join, .n_left = n_left};
    batch_init(&rows->in, n_left);
    evaluator_init(&rows->evaluator, join->program);
    enum status rc = join_index_open(&rows->source, store, join, err);
    if (rc != ST_OK) {
        rows_close(&rows->rows);
        return rc;
    }
    rows->left = left;
    *ret = &rows->rows;
    return ST_OK;
}
