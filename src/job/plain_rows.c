// SPDX-License-Identifier: Apache-2.0
#include "job/plain_rows.h"

#include <assert.h>
#include <stdlib.h>

#include "csv/encoder.h"
#include "csv/field.h"
#include "job/pipeline.h"
#include "job/sink.h"

struct plain_encoder {
    struct encoder encoder; // first member
    struct encoder *csv, *sink;
    struct buf unused; // what the sink's makes
};

static void fields(struct encoder *base, size_t first, const struct value *values,
                   size_t n, struct buf *row)
{
    struct plain_encoder *encoder = (struct plain_encoder *)base;
    if (base->refused.n == 0) // the maker of the row has cleared it
        encoder->sink->refused = (struct str){0};
    buf_clear(&encoder->unused);
    encoder->sink->ops->fields(encoder->sink, first, values, n, &encoder->unused);
    base->refused = encoder->sink->refused;
    encoder->csv->ops->fields(encoder->csv, first, values, n, row);
}

static void end_row(struct encoder *base, struct buf *row)
{
    struct plain_encoder *encoder = (struct plain_encoder *)base;
    encoder->csv->ops->end_row(encoder->csv, row);
}

// A file is never made.
static enum status no_file(UNUSED struct encoder *encoder, UNUSED struct buf *out,
                           UNUSED struct err *err)
{
    return ST_OK;
}

static enum status no_rows(UNUSED struct encoder *encoder, UNUSED struct str rows,
                           UNUSED size_t n_rows, UNUSED struct buf *out,
                           UNUSED struct err *err)
{
    return ST_OK;
}

static void no_note(UNUSED struct encoder *encoder, UNUSED struct str note,
                    UNUSED struct buf *front)
{
}

static void close_encoder(struct encoder *base)
{
    struct plain_encoder *encoder = (struct plain_encoder *)base;
    encoder->csv->ops->close(encoder->csv);
    encoder->sink->ops->close(encoder->sink);
    buf_release(&encoder->unused);
    free(encoder);
}

static const struct encoder_ops ops = {
    .fields = fields,
    .end_row = end_row,
    .begin = no_file,
    .rows = no_rows,
    .end = no_file,
    .note = no_note,
    .close = close_encoder,
};

enum status plain_encoder_open(const struct plan *plan, struct encoder **ret,
                               struct err *err)
{
    if (format_of(&plan->sink->format)->is_of_feeds) {
        *ret = csv_encoder_open(&plan->output, false);
        return ST_OK;
    }
    struct encoder *sink;
    TRY(sink_encoder_open(plan->sink, &plan->output, "", &sink, err));
    struct plain_encoder *encoder = mem_zalloc(sizeof(*encoder));
    encoder->sink = sink;
    encoder->csv = csv_encoder_open(&plan->output, false);
    encoder->encoder = (struct encoder){
        .ops = &ops, .schema = &plan->output, .extension = encoder->csv->extension};
    *ret = &encoder->encoder;
    return ST_OK;
}

void plain_rows_init(struct plain_rows *rows, const struct schema *schema)
{
    *rows = (struct plain_rows){0};
    rows->schema = schema_copy(&rows->arena, schema);
    for (size_t i = 0; i < schema->n; i++)
        if (rows->schema.columns[i].type == TYPE_BYTES)
            rows->schema.columns[i].type = TYPE_TEXT;
    rows->fields = arena_array(&rows->arena, schema->n, sizeof(*rows->fields));
    rows->values = arena_array(&rows->arena, schema->n, sizeof(*rows->values));
}

void plain_rows_release(struct plain_rows *rows)
{
    arena_release(&rows->arena);
    *rows = (struct plain_rows){0};
}

// What the encoder wrote reads back.
bool plain_rows_next(struct plain_rows *rows, struct str *bytes, struct arena *arena)
{
    size_t n = rows->schema.n;
    struct csv_line line = {.fields = rows->fields, .capacity = n};
    if (bytes->n == 0)
        return false;
    bool good = csv_scan(*bytes, true, &line) == CSV_LINE && line.n == n;
    for (size_t c = 0; c < n && good; c++)
        good = csv_value(&rows->schema.columns[c], rows->fields[c], false, arena,
                         &rows->values[c]);
    assert(good);
    *bytes = (struct str){bytes->p + line.size, bytes->n - line.size};
    return true;
}
