// SPDX-License-Identifier: Apache-2.0
// The result's columns cut into segments: maximal runs of columns of one side.
//
// A segment is the unit of bytes that is encoded once and copied. The last segment's
// bytes include the end of the row.
#ifndef TABLE_SEGMENT_H
#define TABLE_SEGMENT_H

#include "core/row_format.h"
#include "sql/plan.h"

struct segment {
    size_t side;
    size_t first; // column of the result
    size_t n;
    const struct output *outputs; // n, borrowed from the plan
    bool is_last;
    bool is_straight; // its columns stand side by side in the row they are read from
};

struct segments {
    struct segment *items;
    size_t n;
    size_t n_of_side[1 + JOINS_MAX];
    struct value *gathered; // room for the values of one segment
};

void segments_init(struct segments *segments, const struct native_branch *branch);
void segments_release(struct segments *segments);

// Appends the encoded bytes of a segment of `row`, the stream's or a join's, as the
// segment's side says.
void segment_encode(const struct segments *segments, const struct segment *segment,
                    struct row_format *row_format, const struct value *row,
                    struct buf *bytes);

#endif
