// SPDX-License-Identifier: Apache-2.0
// Partitions that are held back: a record of theirs waits for something (a schema), while
// the others go on. Each is tried again after pauses that grow (retry.h), up to a limit.
// Zero is a valid start.
#ifndef WORK_HELD_H
#define WORK_HELD_H

#include <stddef.h>

#include "commit/retry.h"

struct held_partition {
    int32_t number;
    bool is_tried; // let go to see whether it goes on now
    struct retry retry;
    int64_t until_ms; // monotonic
};

struct held {
    struct held_partition *items; // rising
    size_t n, capacity;
};

// Holds it back, for the first time or again. One that `has_moved` waits for something
// else than before: pauses and limit begin again. False: the limit has passed.
// *ret_is_said: it is worth a word, the first time and when its pauses have become long.
bool held_add(struct held *held, int32_t partition, bool has_moved, int64_t now_ms,
              int64_t limit_ms, bool *ret_is_said);
// A partition to try now, or -1. *at begins as 0 and is where the next call goes on.
int32_t held_take_due(struct held *held, int64_t now_ms, size_t *at);
// It goes on; false when it was not held.
bool held_drop(struct held *held, int32_t partition);
// When the next is due; INT64_MAX: none is.
int64_t held_next_ms(const struct held *held);
void held_clear(struct held *held); // none is held
void held_release(struct held *held);

#endif
