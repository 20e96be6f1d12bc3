// SPDX-License-Identifier: Apache-2.0
#include "work/merge_units.h"

#include <stdlib.h>

#include "base/mem.h"

bool unit_has_dead(const struct unit *unit)
{
    for (size_t i = 0; i < unit->n_files; i++)
        if (unit->files[i].kind == FILE_DEAD)
            return true;
    return false;
}

static int compare_partition(const void *key, const void *span)
{
    int32_t a = *(const int32_t *)key, b = ((const struct span *)span)->partition;
    return (a > b) - (a < b);
}

const struct span *unit_span(const struct unit *unit, int32_t partition)
{
    if (unit->n_spans == 0)
        return NULL;
    return bsearch(&partition, unit->spans, unit->n_spans, sizeof(*unit->spans),
                   compare_partition);
}

bool units_fit(const struct unit *first, bool has_dead, const struct unit *next)
{
    return str_eq(first->dimension, next->dimension) &&
           str_eq(first->topic_id, next->topic_id) && !(has_dead && unit_has_dead(next));
}

// Of a partition as they follow each other.
static int compare_spans(const void *a, const void *b)
{
    const struct span *x = a, *y = b;
    if (x->partition != y->partition)
        return x->partition < y->partition ? -1 : 1;
    return (x->first > y->first) - (x->first < y->first);
}

static void add_times(struct unit *to, const struct unit *unit)
{
    if (unit->first_batch_ms > 0 &&
        (to->first_batch_ms == 0 || unit->first_batch_ms < to->first_batch_ms))
        to->first_batch_ms = unit->first_batch_ms;
    if (unit->last_batch_ms > to->last_batch_ms)
        to->last_batch_ms = unit->last_batch_ms;
}

static void merge_spans(struct unit *unit)
{
    size_t n = 0;
    qsort(unit->spans, unit->n_spans, sizeof(*unit->spans), compare_spans);
    for (size_t i = 0; i < unit->n_spans; i++)
        if (n > 0 && unit->spans[n - 1].partition == unit->spans[i].partition)
            span_extend(&unit->spans[n - 1], &unit->spans[i]);
        else
            unit->spans[n++] = unit->spans[i];
    unit->n_spans = n;
}

void merge_units(const struct unit *const *units, size_t n, struct unit *ret)
{
    size_t n_spans = 0, n_files = 0;
    for (size_t i = 0; i < n; i++) {
        n_spans += units[i]->n_spans;
        n_files += units[i]->n_files;
    }
    struct unit unit = {.writer = units[0]->writer,
                        .dimension = units[0]->dimension,
                        .topic_id = units[0]->topic_id};
    unit.spans = arena_array(&unit.arena, n_spans, sizeof(*unit.spans));
    unit.files = arena_array(&unit.arena, n_files, sizeof(*unit.files));
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < units[i]->n_spans; j++)
            unit.spans[unit.n_spans++] = units[i]->spans[j];
        for (size_t j = 0; j < units[i]->n_files; j++)
            unit.files[unit.n_files++] = units[i]->files[j];
        unit.rows += units[i]->rows;
        unit.matched += units[i]->matched;
        unit.unmatched += units[i]->unmatched;
        unit.filtered += units[i]->filtered;
        add_times(&unit, units[i]);
    }
    merge_spans(&unit);
    *ret = unit;
}
