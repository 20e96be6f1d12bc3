// SPDX-License-Identifier: Apache-2.0
#include "work/witness.h"

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
    seen.epoch = (struct leader_epoch){0}; // of `next`
    return progress_check(&seen);
}

static const struct progress *newest(const struct unit *unit, const struct progress *log,
                                     size_t n, const struct probe *chosen,
                                     size_t n_chosen)
{
    const struct progress *found = NULL;
    for (size_t i = 0; i < unit->n_spans; i++) {
        const struct progress *at = progress_find(log, n, unit->spans[i].partition);
        if (at != NULL && can_add(at, chosen, n_chosen) &&
            (found == NULL || at->last.time_ms > found->last.time_ms))
            found = at;
    }
    return found;
}

size_t witness_choose(size_t *turn, const struct unit *unit, const struct progress *log,
                      size_t n, struct probe ret[WITNESSES_MAX])
{
    size_t n_chosen = 0;
    const struct progress *found;
    while (n_chosen < NEWEST && (found = newest(unit, log, n, ret, n_chosen)) != NULL)
        ret[n_chosen++] = probe_of(found);
    for (size_t i = 0; i < n && n_chosen < WITNESSES_MAX; i++) {
        const struct progress *position = &log[(*turn)++ % n];
        if (can_add(position, ret, n_chosen))
            ret[n_chosen++] = probe_of(position);
    }
    return n_chosen;
}
