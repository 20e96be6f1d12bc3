// SPDX-License-Identifier: Apache-2.0
#include "table/pass_through.h"

#include <stdlib.h>

#include "base/mem.h"

// The record's column that an output of the stream's side is; PASS_NOTHING: it is none.
static size_t column_of(const struct native_branch *branch, const struct output *output)
{
    if (branch->steps != NULL || output->side != SIDE_STREAM)
        return PASS_NOTHING;
    if (branch->program == NULL)
        return output->column;
    struct operand operand = branch->program->parts[PART_OUTPUTS].values[output->column];
    return operand.kind == OPERAND_INPUT ? operand.index : PASS_NOTHING;
}

static bool goes_on(const struct pass_run *run, const struct output *output,
                    size_t column)
{
    if (output->column != run->value + run->n)
        return false;
    return run->column == PASS_NOTHING ? column == PASS_NOTHING
                                       : column == run->column + run->n;
}

void pass_through_init(struct pass_through *pass, const struct native_branch *branch)
{
    bool is_open = false; // the last run
    *pass =
        (struct pass_through){.runs = mem_array(branch->n_outputs, sizeof(*pass->runs))};
    for (size_t i = 0; i < branch->n_outputs; i++) {
        const struct output *output = &branch->outputs[i];
        size_t column = column_of(branch, output);
        if (output->side != SIDE_STREAM) {
            is_open = false;
            continue;
        }
        if (is_open && goes_on(&pass->runs[pass->n - 1], output, column)) {
            pass->runs[pass->n - 1].n++;
            continue;
        }
        pass->runs[pass->n++] = (struct pass_run){
            .first = i, .n = 1, .value = output->column, .column = column};
        is_open = true;
    }
}

void pass_through_release(struct pass_through *pass)
{
    free(pass->runs);
    *pass = (struct pass_through){0};
}

// A record with raw bytes: its fields are found by the texts beside them.
struct record_fields {
    struct str raw;
    const struct value *values;
    size_t n;
};

static bool is_text(const struct record_fields *record, size_t column)
{
    return record->values[column].kind == VALUE_TEXT;
}

// Where a field begins; NULL: nothing shows it.
static const char *begin_of(const struct record_fields *record, size_t column)
{
    if (column == 0)
        return record->raw.p;
    if (is_text(record, column))
        return record->values[column].p;
    const struct value *before = &record->values[column - 1];
    return before->kind == VALUE_TEXT ? before->p + before->n + 1 : NULL;
}

static const char *end_of(const struct record_fields *record, size_t column)
{
    if (column + 1 == record->n)
        return record->raw.p + record->raw.n;
    const struct value *value = &record->values[column];
    if (value->kind == VALUE_TEXT)
        return value->p + value->n;
    return is_text(record, column + 1) ? record->values[column + 1].p - 1 : NULL;
}

// Whether the run's fields could be copied.
static bool copy_run(const struct pass_run *run, const struct record_fields *record,
                     char separator, struct buf *bytes)
{
    if (run->column == PASS_NOTHING)
        return false;
    const char *from = begin_of(record, run->column);
    const char *to = end_of(record, run->column + run->n - 1);
    if (from == NULL || to == NULL)
        return false;
    size_t n = (size_t)(to - from);
    char *room = buf_room(bytes, n + 1);
    if (room == NULL)
        return true; // the buffer is full, as it would be
    *room = separator;
    room += run->first > 0;
    memcpy(room, from, n);
    bytes->n += n + (run->first > 0);
    return true;
}

// The segment's first run.
static const struct pass_run *first_run(const struct pass_through *pass,
                                        const struct segment *segment)
{
    const struct pass_run *run = pass->runs;
    while (run->first < segment->first)
        run++;
    return run;
}

void pass_through_encode(const struct pass_through *pass, const struct segments *segments,
                         const struct segment *segment, struct row_format *row_format,
                         const struct value *values, const struct batch *batch,
                         size_t row, struct buf *bytes)
{
    bool has_raw = batch->separator != 0 && batch->separator == row_format->separator &&
                   batch->raws[row].p != NULL;
    if (!has_raw) {
        segment_encode(segments, segment, row_format, values, bytes);
        return;
    }
    const struct record_fields record = {batch->raws[row], batch_row(batch, row),
                                         batch->n_columns};
    const struct pass_run *run = first_run(pass, segment);
    for (size_t done = 0; done < segment->n; done += run++->n)
        if (!copy_run(run, &record, row_format->separator, bytes))
            row_format->ops->fields(row_format, run->first, values + run->value, run->n,
                                    bytes);
    if (segment->is_last)
        row_format->ops->end_row(row_format, bytes);
}
