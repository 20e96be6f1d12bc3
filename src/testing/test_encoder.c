// SPDX-License-Identifier: Apache-2.0
#include "testing/test_encoder.h"

#include <stdlib.h>

#include "csv/encoder.h"
#include "job/pipeline.h"
#include "job/sink.h"

struct test_encoder {
    struct encoder encoder; // first member
    struct encoder *csv, *sink;
    struct buf unused; // what the sink's makes
};

static void fields(struct encoder *base, size_t first, const struct value *values,
                   size_t n, struct buf *row)
{
    struct test_encoder *encoder = (struct test_encoder *)base;
    if (base->refused.n == 0) // the maker of the row has cleared it
        encoder->sink->refused = (struct str){0};
    buf_clear(&encoder->unused);
    encoder->sink->ops->fields(encoder->sink, first, values, n, &encoder->unused);
    base->refused = encoder->sink->refused;
    encoder->csv->ops->fields(encoder->csv, first, values, n, row);
}

static void end_row(struct encoder *base, struct buf *row)
{
    struct test_encoder *encoder = (struct test_encoder *)base;
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
    struct test_encoder *encoder = (struct test_encoder *)base;
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

enum status test_encoder_open(const struct plan *plan, struct encoder **ret,
                              struct err *err)
{
    if (!pipeline_is_avro(plan->sink)) {
        *ret = csv_encoder_open(&plan->output, false);
        return ST_OK;
    }
    struct encoder *sink;
    TRY(sink_encoder_open(plan->sink, &plan->output, "", &sink, err));
    struct test_encoder *encoder = mem_zalloc(sizeof(*encoder));
    encoder->sink = sink;
    encoder->csv = csv_encoder_open(&plan->output, false);
    encoder->encoder = (struct encoder){
        .ops = &ops, .schema = &plan->output, .extension = encoder->csv->extension};
    *ret = &encoder->encoder;
    return ST_OK;
}
