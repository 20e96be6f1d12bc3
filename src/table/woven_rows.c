// SPDX-License-Identifier: Apache-2.0
#include "table/woven_rows.h"

#include <stdlib.h>

#include "table/weave.h"

enum {
    BYTES = 128 << 10 // given at once, or a row more
};

struct woven_rows {
    struct rows rows; // first member
    struct table_store *store;
    const struct table_query *query;
    size_t *outputs;
    bool has_begun; // to give bytes
    // Woven:
    struct weave *weave; // NULL: not begun, or it cannot be
    struct woven woven;  // of these rows the first `n_given` are given
    size_t n_given;
    const char *tail; // of the next one
    size_t n_woven;   // rows given in all
    // Value by value:
    struct rows *values; // NULL: not asked for
    struct batch batch;  // of its rows the first `n_encoded` are given
    size_t n_encoded;
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

// Goes to the next row, if there is one; those that were woven before are passed.
static enum status find_row(struct woven_rows *rows, struct err *err)
{
    struct batch *batch = &rows->batch;
    while (rows->n_encoded == batch->n_rows) {
        TRY(next(&rows->rows, batch, err));
        rows->n_encoded = rows->n_woven < batch->n_rows ? rows->n_woven : batch->n_rows;
        rows->n_woven -= rows->n_encoded;
        if (batch->n_rows == 0)
            return ST_OK;
    }
    return ST_OK;
}

// What cannot be woven, value by value.
static enum status encode_some(struct woven_rows *rows, struct row_format *row_format,
                               struct buf *bytes, size_t *ret_n, struct err *err)
{
    struct batch *batch = &rows->batch;
    size_t before = bytes->n;
    TRY(find_row(rows, err));
    for (; rows->n_encoded < batch->n_rows && bytes->n - before < BYTES; ++*ret_n) {
        const struct value *row = batch_row(batch, rows->n_encoded++);
        row_format->ops->fields(row_format, 0, row, batch->n_columns, bytes);
        row_format->ops->end_row(row_format, bytes);
    }
    return ST_OK;
}

static size_t append(struct woven_rows *rows, size_t most_bytes, struct buf *bytes)
{
    const struct weave_tails *tails = rows->woven.tails;
    size_t before = rows->n_given;
    for (; rows->n_given < tails->n_rows && bytes->n < most_bytes; rows->n_given++) {
        uint32_t n = tails->lengths[rows->n_given];
        buf_str(bytes, rows->woven.lead);
        buf_append(bytes, rows->tail, n);
        rows->tail += n;
    }
    return rows->n_given - before;
}

static bool is_in_row(const struct woven_rows *rows)
{
    return rows->woven.tails != NULL && rows->n_given < rows->woven.tails->n_rows;
}

static enum status begin_row(struct woven_rows *rows, bool *ret_more, struct err *err)
{
    TRY(weave_next(rows->weave, &rows->woven, ret_more, err));
    if (!*ret_more)
        return ST_OK;
    rows->n_given = 0;
    rows->tail = rows->woven.tails->bytes;
    return ST_OK;
}

static enum status weave_some(struct woven_rows *rows, struct buf *bytes, size_t *ret_n,
                              struct err *err)
{
    size_t most_bytes = bytes->n + BYTES;
    bool more = true;
    while (more && bytes->n < most_bytes) {
        if (!is_in_row(rows))
            TRY(begin_row(rows, &more, err));
        if (more)
            *ret_n += append(rows, most_bytes, bytes);
    }
    return ST_OK;
}

// Where rows are too large to be woven the rest comes value by value.
static enum status weave_or_end(struct woven_rows *rows, struct buf *bytes, size_t *ret_n,
                                struct err *err)
{
    enum status rc = weave_some(rows, bytes, ret_n, err);
    rows->n_woven += *ret_n;
    if (rc != ST_LIMIT)
        return rc;
    weave_close(rows->weave);
    rows->weave = NULL;
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
    *ret_n = 0;
    if (!rows->has_begun)
        TRY(begin(rows, row_format, err));
    if (rows->weave != NULL)
        TRY(weave_or_end(rows, bytes, ret_n, err));
    if (rows->weave == NULL && *ret_n == 0)
        TRY(encode_some(rows, row_format, bytes, ret_n, err));
    return buf_check(bytes, "rows", err);
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
