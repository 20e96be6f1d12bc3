// SPDX-License-Identifier: Apache-2.0
// The source's rows of one key are a chain, in their order: a key's value in the index is
// its first row + 1, `next` has for each row the one behind it. The chains are made from
// the source's end, so that each row becomes its chain's first.
#include "table/join_rows.h"

#include <stdlib.h>

#include "table/key_index.h"

enum {
    OUT_ROWS = 1024,
    LOOK_ROWS = 1 << 14 // made between two questions whether to go on
};

struct join_rows {
    struct rows rows;
    struct table_store *store;
    const struct table_join *join;
    // The source.
    struct columns own; // unless it is a table
    const struct columns *columns;
    size_t *places;
    struct key_index index;
    uint32_t *next;
    size_t n_bytes; // of all that, as the store counts it
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

// Keys.

// The key of a block's row; p == NULL: a part of it is NULL. It borrows `value` or the
// buffer, which may be too small.
static struct str row_key(const struct evaluator *evaluator, size_t row,
                          struct value *value, struct buf *bytes)
{
    const struct program_part *part = &evaluator->program->parts[part_keys(0)];
    buf_clear(bytes);
    for (size_t i = 0; i < part->n_values; i++) {
        *value = *vector_at(evaluator_vector(evaluator, part->values[i]), row);
        struct str key = key_of_value(value);
        uint32_t n = (uint32_t)key.n;
        if (key.p == NULL || part->n_values == 1)
            return key;
        buf_append(bytes, &n, sizeof(n)); // keeps ("a", "bc") and ("ab", "c") apart
        buf_str(bytes, key);
    }
    return buf_as_str(bytes);
}

static enum status too_large(struct err *err)
{
    return err_set(err, ST_LIMIT,
                   "the keys of joined tables are too large: more than "
                   "1 GiB for one, or 16 GiB for all; join by others");
}

// The source.

static enum status add_key(struct join_rows *rows, size_t row, struct str key,
                           struct err *err)
{
    struct key_slot *slot = key_index_add(&rows->index, hash64(key.p, key.n), key);
    if (slot == NULL)
        return too_large(err);
    rows->next[row] = slot->value;
    slot->value = (uint32_t)row + 1;
    return ST_OK;
}

static enum status add_block(struct join_rows *rows, struct evaluator *evaluator,
                             size_t from, const struct batch *batch, struct err *err)
{
    struct selection selection;
    selection_all(&selection, batch->n_rows);
    evaluator_begin(evaluator, batch_row(batch, 0), batch->n_columns, 0);
    evaluator_select(evaluator, PART_FILTER, &selection);
    evaluator_run(evaluator, part_keys(0), &selection);
    TRY(table_row_error(evaluator, err));
    for (size_t i = selection.n; i-- > 0;) {
        struct value value;
        uint8_t row = selection.rows[i];
        struct str key = row_key(evaluator, row, &value, &rows->key_bytes);
        if (key.p != NULL)
            TRY(add_key(rows, from + row, key, err));
    }
    return rows->key_bytes.full ? too_large(err) : ST_OK;
}

static void read_block(const struct join_rows *rows, size_t from, size_t to,
                       struct batch *batch)
{
    batch_clear(batch);
    for (size_t row = from; row < to; row++) {
        struct value *values = batch_add(batch, 0);
        for (size_t i = 0; i < batch->n_columns; i++)
            values[i] = columns_value(rows->columns, rows->places[i], row);
    }
}

// Tells the store what the rows take now.
static enum status count_memory(struct join_rows *rows, struct err *err)
{
    size_t n_bytes = columns_bytes(&rows->own) + key_index_bytes(&rows->index) +
                     rows->columns->n_rows * sizeof(*rows->next);
    rows->store->n_bytes += n_bytes - rows->n_bytes;
    rows->n_bytes = n_bytes;
    TRY(table_store_go_on(rows->store, err));
    return table_store_check(rows->store, 0, err);
}

static enum status index_blocks(struct join_rows *rows, struct evaluator *evaluator,
                                struct batch *batch, struct err *err)
{
    size_t to = rows->columns->n_rows;
    while (to > 0) {
        size_t from = (to - 1) / BLOCK_ROWS * BLOCK_ROWS;
        read_block(rows, from, to, batch);
        TRY(add_block(rows, evaluator, from, batch, err));
        if (from % LOOK_ROWS == 0)
            TRY(count_memory(rows, err));
        to = from;
    }
    return count_memory(rows, err);
}

static enum status make_index(struct join_rows *rows, struct err *err)
{
    AUTO(batch_release) struct batch batch;
    struct evaluator evaluator;
    rows->next = mem_array(rows->columns->n_rows, sizeof(*rows->next));
    batch_init(&batch, rows->join->source.schema.n);
    evaluator_init(&evaluator, rows->join->source_program);
    enum status rc = index_blocks(rows, &evaluator, &batch, err);
    evaluator_release(&evaluator);
    return rc;
}

static enum status keep_rows(struct join_rows *rows, struct rows *source, struct err *err)
{
    const struct schema *schema = &rows->join->source.schema;
    for (size_t i = 0; i < schema->n; i++)
        rows->places[i] = i;
    columns_init(&rows->own, schema, rows->places, schema->n);
    rows->columns = &rows->own;
    TRY(table_store_add_rows(rows->store, &rows->own, schema, source, err));
    columns_finish(&rows->own);
    return ST_OK;
}

static enum status take_source(struct join_rows *rows, struct err *err)
{
    const struct table_source *source = &rows->join->source;
    rows->places = mem_array(source->schema.n, sizeof(*rows->places));
    if (source->table != NULL) {
        const struct stored_table *table =
            &rows->store->tables[source->table - rows->store->plan->tables];
        for (size_t i = 0; i < source->schema.n; i++)
            rows->places[i] = table->places[source->columns[i]];
        rows->columns = &table->columns;
        return make_index(rows, err);
    }
    struct rows *read;
    TRY(table_source_open(rows->store, source, &read, err));
    enum status rc = keep_rows(rows, read, err);
    read->ops->close(read);
    TRY(rc);
    return make_index(rows, err);
}

// The join.

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
    TRY(table_store_go_on(rows->store, err));
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
        row[rows->n_left + i] =
            columns_value(rows->columns, rows->places[i], rows->chain - 1);
}

static enum status find_chain(struct join_rows *rows, struct err *err)
{
    struct value value;
    struct str key = {0};
    uint8_t row = rows->staying.rows[rows->at];
    if (rows->matches[row])
        key = row_key(&rows->evaluator, row, &value, &rows->key_bytes);
    rows->chain = 0;
    if (key.p != NULL)
        rows->chain = key_index_find(&rows->index, hash64(key.p, key.n), key);
    return rows->key_bytes.full ? too_large(err) : ST_OK;
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
         rows->chain = rows->next[rows->chain - 1])
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
    TRY(table_store_go_on(rows->store, err));
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
    rows->store->n_bytes -= rows->n_bytes;
    columns_release(&rows->own);
    key_index_release(&rows->index);
    evaluator_release(&rows->evaluator);
    batch_release(&rows->in);
    buf_release(&rows->key_bytes);
    free(rows->places);
    free(rows->next);
    free(rows);
}

static const struct rows_ops ops = {.next = rows_next, .close = rows_close};

enum status join_rows_open(struct table_store *store, const struct table_join *join,
                           struct rows *left, size_t n_left, struct rows **ret,
                           struct err *err)
{
    struct join_rows *rows = mem_zalloc(sizeof(*rows));
    *rows = (struct join_rows){
        .rows = {&ops, NULL}, .store = store, .join = join, .n_left = n_left};
    batch_init(&rows->in, n_left);
    key_index_init(&rows->index);
    evaluator_init(&rows->evaluator, join->program);
    enum status rc = take_source(rows, err);
    if (rc != ST_OK) {
        rows_close(&rows->rows);
        return rc;
    }
    rows->left = left;
    *ret = &rows->rows;
    return ST_OK;
}
