// SPDX-License-Identifier: Apache-2.0
#include "cli/cat_stream.h"

#include "base/log.h"
#include "base/text.h"

enum {
    N_BEFORE = 4 // columns of the place; the last one has the error
};

struct cat_stream {
    struct row_printer printer;
    struct value *row;
    size_t n_columns; // of the stream
    int64_t left;
};

static struct value bytes_as_text(struct str bytes, struct arena *arena)
{
    AUTO(buf_release) struct buf text = {0};
    text_utf8(&text, bytes);
    return value_text(arena_str(arena, buf_as_str(&text)));
}

static void print_record(struct cat_stream *cat, const struct run *run, size_t index,
                         const struct value *values, struct str error,
                         struct arena *arena)
{
    const struct record *record = &run->records[index];
    struct value *row = cat->row;
    char time[TEXT_TIME_MAX];
    memset(row, 0, (N_BEFORE + cat->n_columns + 1) * sizeof(*row));
    row[0] = value_int(run->partition);
    row[1] = value_int(record->offset);
    if (record->time_ms >= 0)
        row[2] = value_text(text_time(record->time_ms, time));
    if (record->key.p != NULL)
        row[3] = bytes_as_text(record->key, arena);
    if (values != NULL)
        memcpy(row + N_BEFORE, values, cat->n_columns * sizeof(*row));
    if (error.n > 0)
        row[N_BEFORE + cat->n_columns] = value_text(error);
    row_printer_row(&cat->printer, row);
    cat->left--;
}

// Rows and rejects both rise by their record; what is in neither is passed by a job.
static enum status take(void *context, const struct run *run, size_t from, size_t next,
                        struct batch *batch, UNUSED struct err *err)
{
    struct cat_stream *cat = context;
    size_t row = 0, reject = 0;
    for (size_t i = from; i < next && cat->left > 0; i++) {
        const struct value *values = NULL;
        struct str error = {0};
        if (row < batch->n_rows && batch->records[row] == i)
            values = batch_row(batch, row++);
        else if (reject < batch->n_rejects && batch->rejects[reject].record == i)
            error = batch->rejects[reject++].reason;
        else
            error = STR_LITERAL("passed: the header line, or no value");
        print_record(cat, run, i, values, error, &batch->arena);
    }
    return cat->left == 0 ? ST_STOP : ST_OK;
}

static struct schema columns_of(const struct schema *stream, struct arena *arena)
{
    static const struct column before[N_BEFORE] = {
        {{"_partition", 10}, TYPE_INT, false},
        {{"_offset", 7}, TYPE_BIGINT, false},
        {{"_time", 5}, TYPE_TEXT, true},
        {{"_key", 4}, TYPE_TEXT, true},
    };
    size_t n = N_BEFORE + stream->n + 1;
    struct schema schema = {arena_array(arena, n, sizeof(*schema.columns)), n};
    memcpy(schema.columns, before, sizeof(before));
    memcpy(schema.columns + N_BEFORE, stream->columns,
           stream->n * sizeof(*stream->columns));
    for (size_t i = 0; i < stream->n; i++)
        schema.columns[N_BEFORE + i].nullable = true; // of a record that has an error
    schema.columns[n - 1] = (struct column){{"_error", 6}, TYPE_TEXT, true};
    return schema;
}

enum status cat_stream(struct pipeline *pipeline, const struct look_from *from,
                       int64_t limit, enum row_style style, struct err *err)
{
    const struct schema *stream = &pipeline->plan->stream->schema;
    AUTO(arena_release) struct arena arena = {0};
    struct schema schema = columns_of(stream, &arena);
    struct cat_stream cat = {.left = limit, .n_columns = stream->n};
    cat.row = arena_array(&arena, schema.n, sizeof(*cat.row));
    if (from->kind == LOOK_LATEST)
        log_info("waiting for new records; a signal ends it");
    row_printer_open(&cat.printer, style, &schema);
    enum status rc = limit > 0 ? look_at_stream(pipeline, from, take, &cat, err) : ST_OK;
    row_printer_close(&cat.printer);
    return rc;
}
