// SPDX-License-Identifier: Apache-2.0
#include "testing/test_run.h"

#include <stdlib.h>

#include "job/pipeline.h"
#include "job/plain_rows.h"
#include "job/stream.h"
#include "table/dimensions.h"
#include "table/native_executor.h"
#include "table/sqlite_executor.h"

enum {
    ROWS_BYTES = 1 << 20,
    ROWS_BYTES_MAX = 256 << 20 // of the rows of one record, as in a job
};

// Tables.

static enum status load_one(const struct test_case *test, struct table_store *store,
                            const struct table *table, struct err *err)
{
    struct rows *rows;
    uint64_t n;
    TRY(test_rows_open(test, table, &rows, err));
    enum status rc = table_store_load(store, table, rows, &n, err);
    rows->ops->close(rows);
    return rc;
}

static enum status load(const struct test_case *test, struct table_store *store,
                        struct err *err)
{
    const struct plan *plan = store->plan;
    for (size_t i = 0; i < plan->n_tables; i++)
        if (plan->tables[i].kind == TABLE_DIMENSION)
            TRY(load_one(test, store, &plan->tables[i], err));
    return table_store_load_views(store, err);
}

static struct table_store *open_store(const struct plan *plan)
{
    const struct table_store_options options = {
        .limit_bytes = (size_t)options_number(&plan->settings, "dimension.memory")};
    return table_store_open(plan, &options);
}

// What was made.

static enum status add_row(struct test_output *output, const struct test_record *record,
                           const struct value *values, size_t n, struct err *err)
{
    if (output->n_rows == TEST_OUTPUT_MAX)
        return err_set(err, ST_LIMIT, "more than %d rows come of this test",
                       TEST_OUTPUT_MAX);
    struct str *cells = arena_array(&output->arena, n, sizeof(*cells));
    for (size_t c = 0; c < n; c++)
        cells[c] = test_value_text(values[c], &output->arena);
    MEM_GROW(output->rows, output->n_rows, output->rows_capacity);
    output->rows[output->n_rows++] = (struct test_output_row){cells, record};
    return ST_OK;
}

static void add_reject(struct test_output *output, const struct test_record *record,
                       struct str reason)
{
    MEM_GROW(output->rejects, output->n_rejects, output->rejects_capacity);
    output->rejects[output->n_rejects++] =
        (struct test_reject){arena_str(&output->arena, reason), record};
}

void test_output_release(struct test_output *output)
{
    arena_release(&output->arena);
    free(output->rows);
    free(output->rejects);
    *output = (struct test_output){0};
}

// The INSERT.

struct insert {
    const struct test_case *test;
    const struct plan *plan;
    struct table_store *store;
    struct dimensions dimensions;
    struct row_format *row_format;
    struct executor *executor;
    struct decoder *decoder; // NULL: the records are values
    struct batch batch;
    struct buf rows;
    struct test_output *output;
    struct plain_rows plain;
};

static enum status open_sqlite(struct insert *insert, struct err *err)
{
    struct sqlite_host *host;
    TRY(table_store_host(insert->store, &host, err));
    return sqlite_executor_open(insert->plan, host, insert->row_format, &insert->executor,
                                err);
}

static enum status open_native(struct insert *insert, struct err *err)
{
    const struct plan *plan = insert->plan;
    const struct dimension_options options = {
        .limit_bytes = (size_t)options_number(&plan->settings, "dimension.memory")};
    TRY(dimensions_build(plan->native, insert->store, insert->row_format, &options,
                         &insert->dimensions, err));
    insert->executor =
        native_executor_open(plan, &insert->dimensions, insert->row_format);
    if (!native_asks(plan->native))
        return ST_OK;
    struct sqlite_host *host;
    TRY(table_store_host(insert->store, &host, err));
    return native_executor_use_sqlite(insert->executor, host, err);
}

static enum status open_insert(struct insert *insert, bool native, struct err *err)
{
    const struct plan *plan = insert->plan;
    plain_rows_init(&insert->plain, &plan->output);
    batch_init(&insert->batch, plan->stream->schema.n);
    insert->store = open_store(plan);
    table_store_want_insert(insert->store, native);
    TRY(load(insert->test, insert->store, err));
    TRY(plain_row_format_open(plan, &insert->row_format, err));
    TRY(native ? open_native(insert, err) : open_sqlite(insert, err));
    if (format_of(&plan->stream->format)->schemas != NULL)
        return ST_OK; // nothing is decoded
    return stream_decoder_open(plan->stream, NULL, &insert->decoder, err);
}

static void close_insert(struct insert *insert)
{
    if (insert->decoder != NULL)
        insert->decoder->ops->close(insert->decoder);
    if (insert->executor != NULL)
        insert->executor->ops->close(insert->executor);
    if (insert->row_format != NULL)
        insert->row_format->ops->close(insert->row_format);
    dimensions_release(&insert->dimensions);
    table_store_close(insert->store);
    batch_release(&insert->batch);
    buf_release(&insert->rows);
    plain_rows_release(&insert->plain);
}

static enum status decode(struct insert *insert, const struct test_record *from,
                          struct err *err)
{
    struct batch *batch = &insert->batch;
    batch_clear(batch);
    batch->now_ms = insert->test->now_ms;
    if (from->values != NULL) {
        struct value *to = batch_add(batch, 0);
        memcpy(to, from->values, batch->n_columns * sizeof(*to));
        return ST_OK;
    }
    const struct record record = {.value = from->bytes, .time_ms = -1};
    const struct run run = {.next = 1, .records = &record, .n = 1};
    size_t next;
    return insert->decoder->ops->decode(insert->decoder, &run, 0, batch, &next, err);
}

static enum status read_rows(struct insert *insert, const struct test_record *record,
                             struct err *err)
{
    struct plain_rows *plain = &insert->plain;
    struct str bytes = buf_as_str(&insert->rows);
    while (plain_rows_next(plain, &bytes, &insert->batch.arena))
        TRY(add_row(insert->output, record, plain->values, plain->schema.n, err));
    return ST_OK;
}

// The rows of one record may need a larger buffer.
static enum status enrich(struct insert *insert, struct err *err)
{
    struct executor *executor = insert->executor;
    struct executor_result result;
    size_t next;
    enum status rc = ST_LIMIT;
    for (size_t limit = ROWS_BYTES; rc == ST_LIMIT && limit <= ROWS_BYTES_MAX;
         limit *= 4) {
        buf_clear(&insert->rows);
        buf_set_limit(&insert->rows, limit);
        rc = executor->ops->run(executor, &insert->batch, 0, &insert->rows, &next,
                                &result, err);
    }
    if (rc != ST_LIMIT)
        return rc;
    batch_reject(&insert->batch, 0, str_of(err->text));
    buf_clear(&insert->rows);
    return ST_OK;
}

static enum status take_record(struct insert *insert, const struct test_record *record,
                               struct err *err)
{
    TRY(decode(insert, record, err));
    buf_clear(&insert->rows);
    if (insert->batch.n_rows > 0)
        TRY(enrich(insert, err));
    for (size_t i = 0; i < insert->batch.n_rejects; i++)
        add_reject(insert->output, record, insert->batch.rejects[i].reason);
    return insert->batch.n_rejects > 0 ? ST_OK : read_rows(insert, record, err);
}

enum status test_run_insert(const struct test_case *test, const struct plan *plan,
                            const struct test_records *records, bool native,
                            struct test_output *ret, struct err *err)
{
    *ret = (struct test_output){0};
    struct insert insert = {.test = test, .plan = plan, .output = ret};
    enum status rc = open_insert(&insert, native, err);
    for (size_t i = 0; rc == ST_OK && i < records->n; i++)
        rc = take_record(&insert, &records->items[i], err);
    close_insert(&insert);
    return rc;
}

// A view.

static enum status read_view(struct rows *rows, struct test_output *output,
                             struct err *err)
{
    AUTO(batch_release) struct batch batch;
    batch_init(&batch, rows->schema->n);
    do {
        TRY(rows->ops->next(rows, &batch, err));
        for (size_t i = 0; i < batch.n_rows; i++)
            TRY(add_row(output, NULL, batch_row(&batch, i), rows->schema->n, err));
    } while (batch.n_rows > 0);
    return ST_OK;
}

static enum status run_view(const struct test_case *test, struct table_store *store,
                            const struct view *view, struct test_output *output,
                            struct err *err)
{
    struct rows *rows;
    table_store_want_view(store, view);
    TRY(load(test, store, err));
    TRY(table_store_view(store, view, &rows, err));
    enum status rc = read_view(rows, output, err);
    rows->ops->close(rows);
    return rc;
}

enum status test_run_view(const struct test_case *test, const struct plan *plan,
                          const struct view *view, struct test_output *ret,
                          struct err *err)
{
    *ret = (struct test_output){0};
    struct table_store *store = open_store(plan);
    enum status rc = run_view(test, store, view, ret, err);
    table_store_close(store);
    return rc == ST_OK ? rc : err_context(err, rc, "view %.*s", STR_ARGS(view->name));
}
