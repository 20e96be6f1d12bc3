// SPDX-License-Identifier: Apache-2.0
// Lists of where partitions stand, rising.
#ifndef WORK_PROGRESS_H
#define WORK_PROGRESS_H

#include "work/probe.h"

// NULL: it is not among them.
static inline const struct progress *progress_find(const struct progress *items, size_t n,
                                                   int32_t partition)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (items[middle].partition < partition)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && items[low].partition == partition ? &items[low] : NULL;
}

// Does the topic still hold what was read of it?
static inline struct probe progress_check(const struct progress *progress)
{
    return (struct probe){.kind = PROBE_CHECK,
                          .partition = progress->partition,
                          .next = progress->next,
                          .last = progress->last,
                          .epoch = progress->epoch};
}

#endif
