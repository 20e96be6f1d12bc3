// SPDX-License-Identifier: Apache-2.0
// The chains are made from the source's end, so that each row becomes its chain's first.
#include "table/join_index.h"

#include <stdlib.h>

#include "table/join_rows.h"

enum {
    LOOK_ROWS = 1 << 14 // made between two questions whether to go on
};

struct str join_key(const struct evaluator *evaluator, size_t row, struct value *value,
                    struct buf *bytes)
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

enum status join_key_check(const struct buf *bytes, struct err *err)
{
    return bytes->full ? too_large(err) : ST_OK;
}

static enum status add_key(struct join_index *index, size_t row, struct str key,
                           struct err *err)
{
    struct key_slot *slot = key_index_add(&index->keys, hash64(key.p, key.n), key);
    if (slot == NULL)
        return too_large(err);
    index->next[row] = slot->value;
    slot->value = (uint32_t)row + 1;
    return ST_OK;
}

static enum status add_block(struct join_index *index, struct evaluator *evaluator,
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
        struct str key = join_key(evaluator, row, &value, &index->key_bytes);
        if (key.p != NULL)
            TRY(add_key(index, from + row, key, err));
    }
    return join_key_check(&index->key_bytes, err);
}

static void read_block(const struct join_index *index, size_t from, size_t to,
                       struct batch *batch)
{
    batch_clear(batch);
    for (size_t row = from; row < to; row++) {
        struct value *values = batch_add(batch, 0);
        for (size_t i = 0; i < batch->n_columns; i++)
            values[i] = join_index_value(index, i, row);
    }
}

// Tells the store what the index takes now.
static enum status count_memory(struct join_index *index, struct err *err)
{
    size_t n_bytes = columns_bytes(&index->own) + key_index_bytes(&index->keys) +
                     index->columns->n_rows * sizeof(*index->next);
    index->store->n_bytes += n_bytes - index->n_bytes;
    index->n_bytes = n_bytes;
    TRY(table_store_go_on(index->store, err));
    return table_store_check(index->store, 0, err);
}

static enum status index_blocks(struct join_index *index, struct evaluator *evaluator,
                                struct batch *batch, struct err *err)
{
    size_t to = index->columns->n_rows;
    while (to > 0) {
        size_t from = (to - 1) / BLOCK_ROWS * BLOCK_ROWS;
        read_block(index, from, to, batch);
        TRY(add_block(index, evaluator, from, batch, err));
        if (from % LOOK_ROWS == 0)
            TRY(count_memory(index, err));
        to = from;
    }
    return count_memory(index, err);
}

static enum status make_index(struct join_index *index, struct err *err)
{
    AUTO(batch_release) struct batch batch;
    struct evaluator evaluator;
    index->next = mem_array(index->columns->n_rows, sizeof(*index->next));
    batch_init(&batch, index->join->source.schema.n);
    evaluator_init(&evaluator, index->join->source_program);
    enum status rc = index_blocks(index, &evaluator, &batch, err);
    evaluator_release(&evaluator);
    return rc;
}

static enum status keep_rows(struct join_index *index, struct rows *source,
                             struct err *err)
{
    const struct schema *schema = &index->join->source.schema;
    for (size_t i = 0; i < schema->n; i++)
        index->places[i] = i;
    columns_init(&index->own, schema, index->places, schema->n);
    index->columns = &index->own;
    TRY(table_store_add_rows(index->store, &index->own, schema, source, err));
    columns_finish(&index->own);
    return ST_OK;
}

enum status join_index_open(struct join_index *index, struct table_store *store,
                            const struct table_join *join, struct err *err)
{
    const struct table_source *source = &join->source;
    *index = (struct join_index){.store = store, .join = join};
    key_index_init(&index->keys);
    index->places = mem_array(source->schema.n, sizeof(*index->places));
    if (source->table != NULL) {
        const struct stored_table *table =
            &store->tables[source->table - store->plan->tables];
        for (size_t i = 0; i < source->schema.n; i++)
            index->places[i] = table->places[source->columns[i]];
        index->columns = &table->columns;
        return make_index(index, err);
    }
    struct rows *read;
    TRY(table_source_open(store, source, &read, err));
    enum status rc = keep_rows(index, read, err);
    read->ops->close(read);
    TRY(rc);
    return make_index(index, err);
}

void join_index_release(struct join_index *index)
{
    if (index->store != NULL)
        index->store->n_bytes -= index->n_bytes;
    columns_release(&index->own);
    key_index_release(&index->keys);
    buf_release(&index->key_bytes);
    free(index->places);
    free(index->next);
    *index = (struct join_index){0};
}
