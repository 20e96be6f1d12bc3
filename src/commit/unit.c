// SPDX-License-Identifier: Apache-2.0
#include "commit/unit.h"

#include <stdlib.h>

struct unit *unit_new(const struct progress *partitions, size_t n)
{
    struct unit *unit = mem_zalloc(sizeof(*unit));
    unit->spans = mem_array(n ? n : 1, sizeof(*unit->spans));
    unit->n_spans = n;
    for (size_t i = 0; i < n; i++)
        unit->spans[i] = (struct span){
            .partition = partitions[i].partition,
            .first = partitions[i].next,
            .next = partitions[i].next,
            .last = partitions[i].last,
        };
    return unit;
}

struct unit *unit_after(const struct unit *before)
{
    struct unit *unit = mem_zalloc(sizeof(*unit));
    unit->spans = mem_array(before->n_spans + 1, sizeof(*unit->spans));
    unit->n_spans = before->n_spans;
    for (size_t i = 0; i < unit->n_spans; i++)
        unit->spans[i] = (struct span){
            .partition = before->spans[i].partition,
            .first = before->spans[i].next,
            .next = before->spans[i].next,
            .last = before->spans[i].last,
        };
    return unit;
}

void unit_move(struct unit *unit, struct span *span, int64_t next)
{
    unit->is_moved |= next > span->next;
    span->next = next;
}

bool unit_is_empty(const struct unit *unit)
{
    return !unit->is_moved;
}

struct span *unit_span(struct unit *unit, int32_t partition)
{
    size_t low = 0, high = unit->n_spans;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (unit->spans[middle].partition < partition)
            low = middle + 1;
        else
            high = middle;
    }
    bool is_there = low < unit->n_spans && unit->spans[low].partition == partition;
    return is_there ? &unit->spans[low] : NULL;
}

void unit_free(struct unit *unit)
{
    if (unit == NULL)
        return;
    for (size_t i = 0; i < unit->n_files; i++)
        unit->files[i].spool->ops->discard(unit->files[i].spool);
    free(unit->spans);
    free(unit);
}
