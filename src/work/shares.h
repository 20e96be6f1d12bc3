// SPDX-License-Identifier: Apache-2.0
// How many of the last records were bad, and how many gave no row, of all that a process
// reads. Who builds units counts and judges under the lock. Zero is a valid start.
#ifndef WORK_SHARES_H
#define WORK_SHARES_H

#include "base/buf.h"
#include "base/lock.h"
#include "work/share_window.h"

struct shares {
    struct lock lock;
    struct share_window bad;       // of all that are not ignored
    struct share_window unmatched; // of those that could be read; only with match.min
    bool is_match_low;             // and that was said
    int32_t last_partition;        // where the last bad record is
    int64_t last_offset;
    struct buf last_reason;
};

static inline void shares_release(struct shares *shares)
{
    buf_release(&shares->last_reason);
}

#endif
