// SPDX-License-Identifier: Apache-2.0
#include "work/tell_records.h"

#include <inttypes.h>

#include "work/record_line.h"

enum {
    SEND_BYTES = 256 << 10
};

static enum status tell(struct record_teller *teller, const struct run *run, size_t i,
                        struct err *err)
{
    size_t before = teller->out.n;
    buf_clear(&teller->headers);
    teller->stream->ops->headers(teller->stream, i, &teller->headers);
    record_line_put(&(struct record_line){.order = teller->order,
                                          .number = teller->n_told++,
                                          .partition = run->partition,
                                          .record = run->records[i],
                                          .headers = buf_as_str(&teller->headers)},
                    &teller->out);
    buf_char(&teller->out, '\n');
    if (!teller->out.full && teller->out.n - before <= RECORD_LINE_MAX)
        return ST_OK;
    return err_set(err, ST_DATA,
                   "partition %" PRId32 " offset %" PRId64
                   ": this record of %zu bytes is too large for Spark SQL; take another "
                   "engine",
                   run->partition, run->records[i].offset,
                   run->records[i].key.n + run->records[i].value.n);
}

static enum status send(struct record_teller *teller, struct err *err)
{
    enum status rc =
        teller->lines->ops->send(teller->lines, buf_as_str(&teller->out), err);
    buf_clear(&teller->out);
    return rc;
}

static enum status decode(struct decoder *decoder, const struct run *run, size_t from,
                          struct batch *batch, size_t *ret_next, struct err *err)
{
    struct record_teller *teller = (struct record_teller *)decoder;
    buf_clear(&teller->out);
    for (size_t i = from; i < run->n; i++) {
        TRY(tell(teller, run, i, err));
        if (teller->out.n >= SEND_BYTES)
            TRY(send(teller, err));
    }
    batch->n_ignored += run->n - from;
    *ret_next = run->n;
    return send(teller, err);
}

static const struct decoder_ops teller_ops = {.decode = decode};

void record_teller_open(struct record_teller *teller, const struct schema *schema,
                        struct stream *stream, struct lines *lines)
{
    *teller = (struct record_teller){
        .decoder = {.ops = &teller_ops, .schema = schema},
        .executor = {.name = "none"},
        .stream = stream,
        .lines = lines,
        .out = BUF_INIT(RECORD_LINE_MAX + 2 * SEND_BYTES),
        .headers = BUF_INIT(RECORD_LINE_MAX),
    };
}

void record_teller_release(struct record_teller *teller)
{
    buf_release(&teller->out);
    buf_release(&teller->headers);
}
