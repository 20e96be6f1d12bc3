// SPDX-License-Identifier: Apache-2.0
#include "table/segment.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

static bool is_straight(const struct output *outputs, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (outputs[i].column != outputs[0].column + i)
            return false;
    return true;
}

static void add_segment(struct segments *segments, const struct native_branch *branch,
                        size_t first, size_t n)
{
    const struct output *outputs = branch->outputs + first;
    segments->n_of_side[outputs[0].side]++;
    segments->items[segments->n++] =
        (struct segment){.side = outputs[0].side,
                         .first = first,
                         .n = n,
                         .outputs = outputs,
                         .is_last = first + n == branch->n_outputs,
                         .is_straight = is_straight(outputs, n)};
}

void segments_init(struct segments *segments, const struct native_branch *branch)
{
    assert(branch->n_outputs > 0);
    *segments =
        (struct segments){.items = mem_array(branch->n_outputs, sizeof(struct segment)),
                          .gathered = mem_array(branch->n_outputs, sizeof(struct value))};
    size_t first = 0;
    for (size_t i = 1; i <= branch->n_outputs; i++) {
        if (i < branch->n_outputs &&
            branch->outputs[i].side == branch->outputs[first].side)
            continue;
        add_segment(segments, branch, first, i - first);
        first = i;
    }
}

void segments_release(struct segments *segments)
{
    free(segments->items);
    free(segments->gathered);
    *segments = (struct segments){0};
}

void segment_encode(const struct segments *segments, const struct segment *segment,
                    struct row_format *row_format, const struct value *row,
                    struct buf *bytes)
{
    const struct value *values = row + segment->outputs[0].column;
    if (!segment->is_straight) {
        for (size_t i = 0; i < segment->n; i++)
            segments->gathered[i] = row[segment->outputs[i].column];
        values = segments->gathered;
    }
    row_format->ops->fields(row_format, segment->first, values, segment->n, bytes);
    if (segment->is_last)
        row_format->ops->end_row(row_format, bytes);
}
