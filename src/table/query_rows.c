// SPDX-License-Identifier: Apache-2.0
#include "table/query_rows.h"

#include <stdlib.h>

#include "expr/eval.h"
#include "table/join_rows.h"

enum {
    SCAN_ROWS = 1024 // of a batch
};

// Columns.

struct columns_rows {
    struct rows rows;
    const struct columns *columns;
    size_t *places;
    size_t next;
};

static enum status columns_next(struct rows *base, struct batch *batch,
                                UNUSED struct err *err)
{
    struct columns_rows *rows = (struct columns_rows *)base;
    batch_clear(batch);
    for (; batch->n_rows < SCAN_ROWS && rows->next < rows->columns->n_rows;
         rows->next++) {
        struct value *row = batch_add(batch, (uint32_t)batch->n_rows);
        for (size_t i = 0; i < base->schema->n; i++)
            row[i] = columns_value(rows->columns, rows->places[i], rows->next);
    }
    return ST_OK;
}

static void columns_close(struct rows *base)
{
    struct columns_rows *rows = (struct columns_rows *)base;
    free(rows->places);
    free(rows);
}

static const struct rows_ops columns_ops = {.next = columns_next, .close = columns_close};

struct rows *columns_rows_open(const struct columns *columns, const struct schema *schema,
                               const size_t *places)
{
    struct columns_rows *rows = mem_zalloc(sizeof(*rows));
    *rows = (struct columns_rows){.rows = {.ops = &columns_ops, .schema = schema},
                                  .columns = columns};
    rows->places = mem_array(schema->n, sizeof(*rows->places));
    for (size_t i = 0; i < schema->n; i++)
        rows->places[i] = places != NULL ? places[i] : i;
    return &rows->rows;
}

// Sources.

static struct rows *open_table(struct table_store *store,
                               const struct table_source *source)
{
    const struct stored_table *table =
        &store->tables[source->table - store->plan->tables];
    size_t *places = mem_array(source->schema.n, sizeof(*places));
    for (size_t i = 0; i < source->schema.n; i++)
        places[i] = table->places[source->columns[i]];
    struct rows *rows = columns_rows_open(&table->columns, &source->schema, places);
    free(places);
    return rows;
}

enum status table_source_open(struct table_store *store,
                              const struct table_source *source, struct rows **ret,
                              struct err *err)
{
    if (source->query != NULL)
        return query_rows_open(store, source->query, ret, err);
    if (source->table == NULL)
        return table_store_sql(store, source->sql, &source->schema, ret, err);
    *ret = open_table(store, source);
    return ST_OK;
}

// The last step: which rows stay, and what they give.

struct query_rows {
    struct rows rows;
    struct table_store *store;
    struct rows *joined;
    const struct table_query *query;
    struct batch in;
    size_t next; // row of it
    struct evaluator evaluator;
};

enum status table_row_error(const struct evaluator *evaluator, struct err *err)
{
    size_t row = 0;
    if (!evaluator->has_errors)
        return ST_OK;
    while (evaluator->errors[row].p == NULL)
        row++;
    return err_set(err, ST_DATA, "the query fails: %.*s",
                   STR_ARGS(evaluator->errors[row]));
}

static void take_outputs(struct query_rows *rows, const struct selection *selection,
                         struct batch *batch)
{
    const struct evaluator *evaluator = &rows->evaluator;
    const struct program_part *part = &rows->query->program->parts[PART_OUTPUTS];
    for (size_t i = 0; i < selection->n; i++) {
        struct value *row = batch_add(batch, (uint32_t)batch->n_rows);
        for (size_t k = 0; k < part->n_values; k++)
            row[k] = *vector_at(evaluator_vector(evaluator, part->values[k]),
                                selection->rows[i]);
    }
}

// A block: text that it makes lasts until the next one.
static enum status run_block(struct query_rows *rows, struct batch *batch,
                             struct err *err)
{
    struct evaluator *evaluator = &rows->evaluator;
    struct selection selection;
    size_t left = rows->in.n_rows - rows->next;
    size_t n = left < BLOCK_ROWS ? left : BLOCK_ROWS;
    selection_all(&selection, n);
    evaluator_begin(evaluator, batch_row(&rows->in, rows->next), rows->in.n_columns, 0);
    evaluator_select(evaluator, PART_FILTER, &selection);
    evaluator_run(evaluator, PART_OUTPUTS, &selection);
    rows->next += n;
    TRY(table_row_error(evaluator, err));
    take_outputs(rows, &selection, batch);
    return ST_OK;
}

static enum status rows_next(struct rows *base, struct batch *batch, struct err *err)
{
    struct query_rows *rows = (struct query_rows *)base;
    batch_clear(batch);
    while (batch->n_rows == 0) {
        if (rows->next == rows->in.n_rows) {
            rows->next = 0;
            TRY(table_store_go_on(rows->store, err));
            TRY(rows->joined->ops->next(rows->joined, &rows->in, err));
            if (rows->in.n_rows == 0)
                return ST_OK;
        }
        TRY(run_block(rows, batch, err));
    }
    return ST_OK;
}

static void rows_close(struct rows *base)
{
    struct query_rows *rows = (struct query_rows *)base;
    rows->joined->ops->close(rows->joined);
    evaluator_release(&rows->evaluator);
    batch_release(&rows->in);
    free(rows);
}

static const struct rows_ops rows_ops = {.next = rows_next, .close = rows_close};

static enum status open_joins(struct table_store *store, const struct table_query *query,
                              struct rows **joined, size_t *ret_n, struct err *err)
{
    for (size_t i = 0; i < query->n_joins; i++) {
        TRY(join_rows_open(store, &query->joins[i], *joined, *ret_n, joined, err));
        *ret_n += query->joins[i].source.schema.n;
    }
    return ST_OK;
}

enum status query_rows_open(struct table_store *store, const struct table_query *query,
                            struct rows **ret, struct err *err)
{
    struct rows *joined;
    size_t n = query->source.schema.n;
    TRY(table_source_open(store, &query->source, &joined, err));
    enum status rc = open_joins(store, query, &joined, &n, err);
    if (rc != ST_OK) {
        joined->ops->close(joined);
        return rc;
    }
    struct query_rows *rows = mem_zalloc(sizeof(*rows));
    *rows = (struct query_rows){.rows = {.ops = &rows_ops, .schema = &query->schema},
                                .store = store,
                                .joined = joined,
                                .query = query};
    batch_init(&rows->in, n);
    evaluator_init(&rows->evaluator, query->program);
    *ret = &rows->rows;
    return ST_OK;
}
