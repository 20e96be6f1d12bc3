// SPDX-License-Identifier: Apache-2.0
#include "wire/aborted.h"

#include <stdlib.h>

#include "base/mem.h"

void wire_aborted_clear(struct wire_aborted *aborted)
{
    aborted->n = 0;
}

void wire_aborted_release(struct wire_aborted *aborted)
{
    free(aborted->items);
    *aborted = (struct wire_aborted){0};
}

void wire_aborted_add(struct wire_aborted *aborted, int64_t producer,
                      int64_t first_offset)
{
    MEM_GROW(aborted->items, aborted->n, aborted->capacity);
    aborted->items[aborted->n++] =
        (struct wire_transaction){.producer = producer, .first_offset = first_offset};
}

static int compare(const void *a, const void *b)
{
    const struct wire_transaction *x = a, *y = b;
    if (x->producer != y->producer)
        return x->producer < y->producer ? -1 : 1;
    return (x->first_offset > y->first_offset) - (x->first_offset < y->first_offset);
}

void wire_aborted_sort(struct wire_aborted *aborted)
{
    if (aborted->n > 1)
        qsort(aborted->items, aborted->n, sizeof(*aborted->items), compare);
}

// The producer's first transaction; `n` when it has none.
static size_t find(const struct wire_aborted *aborted, int64_t producer)
{
    size_t low = 0, high = aborted->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (aborted->items[middle].producer < producer)
            low = middle + 1;
        else
            high = middle;
    }
    bool is_found = low < aborted->n && aborted->items[low].producer == producer;
    return is_found ? low : aborted->n;
}

// The producer's transaction that is not over and has begun by that offset; NULL: none.
static struct wire_transaction *current(const struct wire_aborted *aborted, size_t first,
                                        int64_t offset)
{
    if (first == aborted->n)
        return NULL;
    size_t at = first + aborted->items[first].n_ended;
    if (at == aborted->n || aborted->items[at].producer != aborted->items[first].producer)
        return NULL;
    return aborted->items[at].first_offset <= offset ? &aborted->items[at] : NULL;
}

bool wire_aborted_has(const struct wire_aborted *aborted, int64_t producer,
                      int64_t last_offset)
{
    return current(aborted, find(aborted, producer), last_offset) != NULL;
}

void wire_aborted_end(struct wire_aborted *aborted, int64_t producer, int64_t offset)
{
    size_t first = find(aborted, producer);
    while (current(aborted, first, offset) != NULL)
        aborted->items[first].n_ended++;
}
