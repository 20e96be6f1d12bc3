// SPDX-License-Identifier: Apache-2.0
#include "work/told_records.h"

#include <inttypes.h>
#include <stdlib.h>

#include "table/output_check.h"
#include "work/told_row.h"

// What is bad, by the program's own decoder.

static void note_kinds(struct told_records *told, const struct batch *batch, size_t from,
                       size_t next)
{
    size_t n = next - from;
    if (n > told->kinds_capacity) {
        told->kinds = mem_resize(told->kinds, n, sizeof(*told->kinds));
        told->kinds_capacity = n;
    }
    for (size_t i = 0; i < n; i++)
        told->kinds[i] = TOLD_IGNORED;
    for (size_t i = 0; i < batch->n_rows; i++)
        told->kinds[batch->records[i] - from] = TOLD_ROW;
    for (size_t i = 0; i < batch->n_rejects; i++)
        told->kinds[batch->rejects[i].record - from] = TOLD_BAD;
}

static enum status differs(const struct told_records *told, int64_t offset,
                           enum told_kind theirs, enum told_kind ours, struct err *err)
{
    static const char *const names[] = {
        [TOLD_ROW] = "a row", [TOLD_IGNORED] = "none", [TOLD_BAD] = "bad"};
    return err_set(err, ST_DATA,
                   "topic '%.*s' partition %" PRId32 " offset %" PRId64
                   ": this record is %s by Spark SQL, and %s by this program; run the "
                   "script by another engine, and report it",
                   STR_ARGS(told->topic), told->partition, offset, names[theirs],
                   names[ours]);
}

static enum status decode(struct decoder *decoder, const struct run *run, size_t from,
                          struct batch *batch, size_t *ret_next, struct err *err)
{
    struct told_records *told = ((struct told_decoder *)decoder)->told;
    enum status rc = told->real->ops->decode(told->real, run, from, batch, ret_next, err);
    if (rc != ST_OK)
        return rc;
    note_kinds(told, batch, from, *ret_next);
    for (size_t i = from; i < *ret_next; i++)
        if (told->notes[i].kind != told->kinds[i - from])
            return differs(told, run->records[i].offset, told->notes[i].kind,
                           told->kinds[i - from], err);
    return ST_OK;
}

static const struct decoder_ops decoder_ops = {.decode = decode};

// The rows.

// The first column that cannot stand in the result, or NULL.
static const struct column *find_fault(const struct told_records *told,
                                       enum output_fault *ret)
{
    const struct schema *schema = &told->plan->output;
    for (size_t i = 0; i < schema->n; i++) {
        *ret = output_check(&schema->columns[i], told->row[i]);
        if (*ret != OUTPUT_FITS)
            return &schema->columns[i];
    }
    return NULL;
}

// Why the record is a reject is put into `reason`.
static void encode_row(struct told_records *told, struct buf *rows, struct buf *reason)
{
    struct row_format *row_format = told->row_format;
    enum output_fault fault;
    const struct column *column = find_fault(told, &fault);
    if (column != NULL) {
        output_why(column, fault, reason);
        return;
    }
    row_format->ops->fields(row_format, 0, told->row, told->plan->output.n, rows);
    row_format->ops->end_row(row_format, rows);
    buf_str(reason, row_format->refused);
    row_format->refused = (struct str){0};
}

static enum status take_row(struct told_records *told, struct str text, struct buf *rows,
                            struct buf *reason, struct err *err)
{
    TRY(told_row_read(&told->plan->output, text, told->row, err));
    encode_row(told, rows, reason);
    return ST_OK;
}

static enum status take_rows(struct told_records *told, const struct told_note *note,
                             struct buf *rows, struct buf *reason, struct err *err)
{
    for (size_t i = 0; i < note->n_rows && reason->n == 0 && !rows->full; i++)
        TRY(take_row(told, told->rows[note->first_row + i], rows, reason, err));
    return ST_OK;
}

// A row of the batch is a record. False: there is no room for its rows.
static enum status take_record(struct told_records *told, struct batch *batch, size_t row,
                               struct buf *rows, struct executor_result *ret,
                               struct err *err)
{
    const struct told_note *note = &told->notes[batch->records[row]];
    size_t before = rows->n;
    AUTO(buf_release) struct buf reason = {0};
    TRY(take_rows(told, note, rows, &reason, err));
    if (rows->full) {
        (void)output_too_big(told->plan, batch_row(batch, row), note->n_rows, rows->limit,
                             err);
        rows->n = before;
        rows->full = false;
        return ST_LIMIT;
    }
    if (reason.n > 0) {
        rows->n = before;
        batch_reject(batch, batch->records[row], buf_as_str(&reason));
        return ST_OK;
    }
    ret->n_rows += note->n_rows;
    ret->n_matched += note->n_rows > 0;
    ret->n_unmatched += note->n_rows == 0;
    return ST_OK;
}

static enum status run(struct executor *executor, struct batch *batch, size_t from,
                       struct buf *rows, size_t *ret_next, struct executor_result *ret,
                       struct err *err)
{
    struct told_records *told = ((struct told_executor *)executor)->told;
    *ret = (struct executor_result){0};
    for (*ret_next = from; *ret_next < batch->n_rows; ++*ret_next) {
        enum status rc = take_record(told, batch, *ret_next, rows, ret, err);
        if (rc == ST_LIMIT && *ret_next > from)
            return ST_OK;
        TRY(rc);
    }
    return ST_OK;
}

static const struct executor_ops executor_ops = {.run = run};

// Headers.

static void headers(struct stream *stream, size_t index, struct buf *json)
{
    const struct told_records *told = ((struct told_stream *)stream)->told;
    buf_str(json, told->notes[index].headers);
}

static const struct stream_ops stream_ops = {.headers = headers};

// The records.

void told_records_open(struct told_records *told, const struct plan *plan,
                       struct decoder *decoder, struct row_format *row_format,
                       struct str topic)
{
    *told = (struct told_records){
        .decoder = {{.ops = &decoder_ops, .schema = decoder->schema}, told},
        .executor = {{.ops = &executor_ops, .name = "told"}, told},
        .stream = {{.ops = &stream_ops}, told},
        .plan = plan,
        .real = decoder,
        .row_format = row_format,
        .topic = topic,
        .row = mem_array(plan->output.n, sizeof(*told->row)),
    };
}

void told_records_release(struct told_records *told)
{
    arena_release(&told->arena);
    free(told->records);
    free(told->notes);
    free(told->rows);
    free(told->kinds);
    free(told->row);
}

void told_records_clear(struct told_records *told)
{
    told->n_records = told->n_rows = 0;
    arena_clear(&told->arena);
}

void told_records_add(struct told_records *told, enum told_kind kind,
                      const struct record *record, struct str text)
{
    size_t n = told->n_records;
    MEM_GROW(told->notes, n, told->notes_capacity);
    MEM_GROW(told->records, n, told->records_capacity);
    told->notes[n] =
        (struct told_note){.kind = kind, .headers = text, .first_row = told->n_rows};
    told->records[n] = *record;
    told->n_records++;
}

void told_records_row(struct told_records *told, struct str row)
{
    MEM_GROW(told->rows, told->n_rows, told->rows_capacity);
    told->rows[told->n_rows++] = arena_str(&told->arena, row);
    told->notes[told->n_records - 1].n_rows++;
}
