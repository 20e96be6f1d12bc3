// SPDX-License-Identifier: Apache-2.0
// Fields of a record that go into the result as they came: copied, not encoded.
//
// Where a segment's columns stand side by side in the record, and the record's bytes are
// those of the result's row format (batch.h, `raws`), they are one copy: with one join
// and one row a record of stop_times takes 62 ns instead of 77, from its bytes to those
// of the file. Elsewhere the fields are encoded: its plain twin, which
// tests/unit/test_pass_through.c holds it to.
#ifndef TABLE_PASS_THROUGH_H
#define TABLE_PASS_THROUGH_H

#include "table/segment.h"

#define PASS_NOTHING SIZE_MAX

// Columns of the result, of the stream's side.
struct pass_run {
    size_t first, n;
    size_t value;  // of the stream's side
    size_t column; // of the record; PASS_NOTHING: they are computed
};

struct pass_through {
    struct pass_run *runs;
    size_t n;
};

// Whether the bytes of the batch's records, where they are kept, are those of a segment:
// it stands in front of the row, and no other does behind.
static inline bool pass_through_is_whole(const struct pass_through *pass,
                                         const struct segment *segment,
                                         const struct row_format *row_format,
                                         const struct batch *batch)
{
    const struct pass_run *run = &pass->runs[0];
    return batch->separator != 0 && batch->separator == row_format->separator &&
           run->column == 0 && run->n == batch->n_columns && run->n == segment->n &&
           segment->first == 0 && !segment->is_last;
}

// The record's bytes where they are so; p == NULL: the segment is to be encoded.
static inline struct str pass_through_whole(const struct pass_through *pass,
                                            const struct segment *segment,
                                            const struct row_format *row_format,
                                            const struct batch *batch, size_t row)
{
    return pass_through_is_whole(pass, segment, row_format, batch) ? batch->raws[row]
                                                                   : (struct str){0};
}

void pass_through_init(struct pass_through *pass, const struct native_branch *branch);
void pass_through_release(struct pass_through *pass);

// Appends a segment of the stream's side, as segment_encode does. `values` are that
// side's, of row `row` of the batch.
void pass_through_encode(const struct pass_through *pass, const struct segments *segments,
                         const struct segment *segment, struct row_format *row_format,
                         const struct value *values, const struct batch *batch,
                         size_t row, struct buf *bytes);

#endif
