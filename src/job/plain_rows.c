// SPDX-License-Identifier: Apache-2.0
#include "job/plain_rows.h"

#include <assert.h>
#include <stdlib.h>

#include "csv/field.h"
#include "csv/row_format.h"
#include "job/pipeline.h"
#include "job/sink.h"

struct plain_row_format {
    struct row_format row_format; // first member
    struct row_format *csv, *sink;
    struct buf unused; // what the sink's makes
};

static void fields(struct row_format *base, size_t first, const struct value *values,
                   size_t n, struct buf *row)
{
    struct plain_row_format *plain = (struct plain_row_format *)base;
    if (base->refused.n == 0) // the maker of the row has cleared it
        plain->sink->refused = (struct str){0};
    buf_clear(&plain->unused);
    plain->sink->ops->fields(plain->sink, first, values, n, &plain->unused);
    base->refused = plain->sink->refused;
    plain->csv->ops->fields(plain->csv, first, values, n, row);
}

static void end_row(struct row_format *base, struct buf *row)
{
    struct plain_row_format *plain = (struct plain_row_format *)base;
    plain->csv->ops->end_row(plain->csv, row);
}

static void close_row_format(struct row_format *base)
{
    struct plain_row_format *plain = (struct plain_row_format *)base;
    plain->csv->ops->close(plain->csv);
    plain->sink->ops->close(plain->sink);
    buf_release(&plain->unused);
    free(plain);
}

static const struct row_format_ops ops = {
    .fields = fields,
    .end_row = end_row,
    .close = close_row_format,
};

enum status plain_row_format_open(const struct plan *plan, struct row_format **ret,
                                  struct err *err)
{
    if (format_of(&plan->sink->format)->is_of_feeds) {
        *ret = csv_row_format_open(&plan->output);
        return ST_OK;
    }
    struct row_format *sink;
    TRY(sink_row_format_open(plan->sink, &plan->output, &sink, err));
    struct plain_row_format *plain = mem_zalloc(sizeof(*plain));
    plain->sink = sink;
    plain->csv = csv_row_format_open(&plan->output);
    plain->row_format = (struct row_format){.ops = &ops, .schema = &plan->output};
    *ret = &plain->row_format;
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

// What the row format made reads back.
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
