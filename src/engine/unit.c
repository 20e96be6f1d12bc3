// SPDX-License-Identifier: Apache-2.0
#include "engine/unit.h"

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

bool unit_is_empty(const struct unit *unit)
{
    for (size_t i = 0; i < unit->n_spans; i++)
        if (unit->spans[i].next > unit->spans[i].first)
            return false;
    return true;
}

struct span *unit_span(struct unit *unit, int32_t partition)
{
    for (size_t i = 0; i < unit->n_spans; i++)
        if (unit->spans[i].partition == partition)
            return &unit->spans[i];
    return NULL;
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
