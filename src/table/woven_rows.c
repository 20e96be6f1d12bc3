// SPDX-License-Identifier: Apache-2.0
#include "table/woven_rows.h"

#include <stdlib.h>

#include "table/weave.h"

enum {
    BYTES = 128 << 10 // given at once, or a few rows more
};

struct woven_rows {
    struct rows rows; // first member
    struct table_store *store;
    const struct table_query *query;
    size_t *outputs;
    struct rows *values; // NULL: not asked for
    struct batch batch;
    struct weave *weave; // NULL: not begun, or it cannot be
    bool has_begun;
};

static enum status open_values(struct woven_rows *rows, struct err *err)
{
    return rows->values != NULL
               ? ST_OK
               : query_rows_open(rows->store, rows->query, &rows->values, err);
}

static enum status next(struct rows *base, struct batch *batch, struct err *err)
{
    struct woven_rows *rows = (struct woven_rows *)base;
    TRY(open_values(rows, err));
    return rows->values->ops->next(rows->values, batch, err);
}

// What cannot be woven, value by value.
static enum status encode_next(struct woven_rows *rows, struct row_format *row_format,
                               struct buf *bytes, size_t *ret_n, struct err *err)
{
    struct batch *batch = &rows->batch;
    TRY(next(&rows->rows, batch, err));
    for (size_t i = 0; i < batch->n_rows; i++) {
        row_format->ops->fields(row_format, 0, batch_row(batch, i), batch->n_columns,
                                bytes);
        row_format->ops->end_row(row_format, bytes);
    }
    *ret_n = batch->n_rows;
    return ST_OK;
}

static size_t append(const struct woven *woven, struct buf *bytes)
{
    const struct weave_tails *tails = woven->tails;
    const char *tail = tails->bytes;
    for (size_t i = 0; i < tails->n_rows; i++) {
        buf_str(bytes, woven->lead);
        buf_append(bytes, tail, tails->lengths[i]);
        tail += tails->lengths[i];
    }
    return tails->n_rows;
}

static enum status weave_some(struct weave *weave, struct buf *bytes, size_t *ret_n,
                              struct err *err)
{
    struct woven woven;
    bool more = true;
    size_t before = bytes->n;
    *ret_n = 0;
    while (more && bytes->n - before < BYTES) {
        TRY(weave_next(weave, &woven, &more, err));
        if (more)
            *ret_n += append(&woven, bytes);
    }
    return ST_OK;
}

static enum status begin(struct woven_rows *rows, struct row_format *row_format,
                         struct err *err)
{
    const struct weave_spec spec = {.query = rows->query,
                                    .outputs = rows->outputs,
                                    .n_outputs = rows->query->schema.n,
                                    .ends_row = true};
    rows->has_begun = true;
    return weave_open(rows->store, &spec, row_format, &rows->weave, err);
}

static enum status next_bytes(struct rows *base, struct row_format *row_format,
                              struct buf *bytes, size_t *ret_n, struct err *err)
{
    struct woven_rows *rows = (struct woven_rows *)base;
    if (!rows->has_begun)
        TRY(begin(rows, row_format, err));
    enum status rc = rows->weave != NULL
                         ? weave_some(rows->weave, bytes, ret_n, err)
                         : encode_next(rows, row_format, bytes, ret_n, err);
    return rc == ST_OK ? buf_check(bytes, "rows", err) : rc;
}

static void close_rows(struct rows *base)
{
    struct woven_rows *rows = (struct woven_rows *)base;
    if (rows->values != NULL)
        rows->values->ops->close(rows->values);
    weave_close(rows->weave);
    batch_release(&rows->batch);
    free(rows->outputs);
    free(rows);
}

static const struct rows_ops ops = {.next = next, .close = close_rows};
static const struct rows_bytes_ops bytes_ops = {.next = next_bytes};

enum status woven_rows_open(struct table_store *store, const struct table_query *query,
                            struct rows **ret, struct err *err)
{
    size_t n = query->schema.n;
    size_t *outputs = mem_array(n + 1, sizeof(*outputs));
    for (size_t i = 0; i < n; i++)
        outputs[i] = i;
    const struct weave_spec spec = {.query = query, .outputs = outputs, .n_outputs = n};
    if (!weave_can(&spec)) {
        free(outputs);
        return query_rows_open(store, query, ret, err);
    }
    struct woven_rows *rows = mem_zalloc(sizeof(*rows));
    *rows = (struct woven_rows){.rows = {&ops, &query->schema, &bytes_ops},
                                .store = store,
                                .query = query,
                                .outputs = outputs};
    batch_init(&rows->batch, n);
    *ret = &rows->rows;
    return ST_OK;
}
