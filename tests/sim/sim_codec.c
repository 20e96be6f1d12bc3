// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_codec.h"

#include <stdlib.h>

enum {
    SLICE_ROWS = 2
};

static struct column columns[] = {{{"value", 5}, TYPE_TEXT, false}};
static const struct schema schema = {columns, 1};

static void decode_one(const struct record *record, uint32_t index, struct batch *batch)
{
    if (record->value.p == NULL)
        batch->n_ignored++;
    else if (record->value.p[0] == '!')
        batch_reject(batch, index, STR_LITERAL("not a value"));
    else
        batch_add(batch, index)[0] = value_text(record->value);
}

static enum status decode(struct decoder *base, const struct run *run, size_t from,
                          struct batch *batch, size_t *ret_next, struct err *err)
{
    struct sim_decoder *decoder = (struct sim_decoder *)base;
    size_t to = run->n;
    bool waits = decoder->fault_percent &&
                 sim_chance(decoder->random, decoder->fault_percent) &&
                 (decoder->events == NULL || sim_events_let(decoder->events, SIM_FAULT));
    if (waits)
        to = (size_t)sim_between(decoder->random, (int64_t)from, (int64_t)run->n - 1);
    for (size_t i = from; i < to; i++)
        decode_one(&run->records[i], (uint32_t)i, batch);
    *ret_next = to;
    return waits ? err_set(err, ST_RETRY, "no schema yet (made by a test)") : ST_OK;
}

static void close_decoder(UNUSED struct decoder *decoder)
{
}

static const struct decoder_ops decoder_ops = {.decode = decode, .close = close_decoder};

void sim_decoder_init(struct sim_decoder *decoder, struct sim_random *random)
{
    *decoder = (struct sim_decoder){.decoder = {.ops = &decoder_ops, .schema = &schema},
                                    .random = random};
}

static size_t emit(struct str value, struct buf *rows)
{
    size_t n = (size_t)(value.p[value.n - 1] - '0');
    for (size_t i = 0; i < n; i++)
        buf_printf(rows, "%.*s.%zu\n", (int)value.n - 3, value.p + 1, i);
    return n;
}

static enum status run(UNUSED struct executor *executor, struct batch *batch, size_t from,
                       struct buf *rows, size_t *ret_next, struct executor_result *ret,
                       UNUSED struct err *err)
{
    size_t row = from;
    *ret = (struct executor_result){0};
    for (; row < batch->n_rows && row < from + SLICE_ROWS; row++) {
        struct str value = value_str(batch_row(batch, row)[0]);
        size_t n = value.p[0] == '~' ? 0 : emit(value, rows);
        if (value.p[0] == '~')
            batch_reject(batch, batch->records[row], STR_LITERAL("does not fit"));
        ret->n_rows += n;
        ret->n_matched += n > 0;
    }
    *ret_next = row;
    return ST_OK;
}

static void close_executor(UNUSED struct executor *executor)
{
}

static const struct executor_ops executor_ops = {.run = run, .close = close_executor};
const struct executor sim_executor = {.ops = &executor_ops, .name = "sim"};

static void fields(UNUSED struct row_format *row_format, UNUSED size_t first,
                   UNUSED const struct value *values, UNUSED size_t n,
                   UNUSED struct buf *row)
{
    abort(); // the executor makes whole lines
}

static void end_row(UNUSED struct row_format *row_format, UNUSED struct buf *row)
{
    abort();
}

static void close_row_format(UNUSED struct row_format *row_format)
{
}

static const struct row_format_ops row_format_ops = {
    .fields = fields,
    .end_row = end_row,
    .close = close_row_format,
};

static struct row_format row_format = {.ops = &row_format_ops, .schema = &schema};

static enum status begin(struct file_writer *writer, struct file_output *to,
                         UNUSED size_t note_bytes, struct err *err)
{
    writer->to = to;
    return to->ops->append(to, STR_LITERAL("BEGIN\n"), err);
}

static enum status rows(struct file_writer *writer, struct str lines,
                        UNUSED size_t n_rows, struct err *err)
{
    return writer->to->ops->append(writer->to, lines, err);
}

static enum status finish(struct file_writer *writer, UNUSED struct str note,
                          struct err *err)
{
    struct file_output *to = writer->to;
    writer->to = NULL;
    return to->ops->append(to, STR_LITERAL("END\n"), err);
}

static void abort_file(struct file_writer *writer)
{
    writer->to = NULL;
}

static void close_writer(UNUSED struct file_writer *writer)
{
}

static const struct file_writer_ops writer_ops = {
    .begin = begin,
    .rows = rows,
    .batch = file_writer_rows_of_batch,
    .bytes = file_writer_appended,
    .finish = finish,
    .abort = abort_file,
    .close = close_writer,
};
const struct file_writer sim_writer = {.ops = &writer_ops, .row_format = &row_format};
