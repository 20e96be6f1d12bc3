// SPDX-License-Identifier: Apache-2.0
#include "work/witness.h"

#include <stdlib.h>

#include "work/progress.h"

enum {
    NEWEST = WITNESSES_MAX / 2 // they have hardly left the topic yet
};

static bool is_chosen(const struct probe *chosen, size_t n_chosen, int32_t partition)
{
    for (size_t i = 0; i < n_chosen; i++)
        if (chosen[i].partition == partition)
            return true;
    return false;
}

static bool can_add(const struct progress *position, const struct probe *chosen,
                    size_t n_chosen)
{
    return position->last.offset >= 0 &&
           !is_chosen(chosen, n_chosen, position->partition);
}

// That the partition reaches further than the record was shown when it was read.
static struct probe probe_of(const struct progress *position)
{
    struct progress seen = *position;
    seen.next = position->last.offset + 1;
    return progress_check(&seen);
}

static const struct progress *newest(const struct progress *positions, size_t n,
                                     const struct probe *chosen, size_t n_chosen)
{
    const struct progress *found = NULL;
    for (size_t i = 0; i < n; i++)
        if (can_add(&positions[i], chosen, n_chosen) &&
            (found == NULL || positions[i].last.time_ms > found->last.time_ms))
            found = &positions[i];
    return found;
}

size_t witness_choose(struct witness *witness, const struct progress *positions, size_t n,
                      struct probe ret[WITNESSES_MAX])
{
    size_t n_chosen = 0;
    const struct progress *found;
    while (n_chosen < NEWEST && (found = newest(positions, n, ret, n_chosen)) != NULL)
        ret[n_chosen++] = probe_of(found);
    for (size_t i = 0; i < witness->n_known && n_chosen < WITNESSES_MAX; i++) {
        const struct progress *position =
            &witness->known[witness->turn++ % witness->n_known];
        if (can_add(position, ret, n_chosen))
            ret[n_chosen++] = probe_of(position);
    }
    return n_chosen;
}

void witness_keep(struct witness *witness, const struct progress *log, size_t n)
{
    witness->known = mem_resize(witness->known, n + 1, sizeof(*witness->known));
    witness->n_known = n;
    for (size_t i = 0; i < n; i++) {
        witness->known[i] = log[i];
        witness->known[i].writer = (struct str){0}; // of the message
    }
}

void witness_release(struct witness *witness)
{
    free(witness->known);
    *witness = (struct witness){0};
}
