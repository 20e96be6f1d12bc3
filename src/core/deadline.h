// SPDX-License-Identifier: Apache-2.0
// Until when answers are wanted: a moment of the monotonic clock.
//
// The owner of a port's handle lends it one (topic.h, storage.h, ...). Whatever a call
// of that handle waits for, it waits no longer than that; a call that comes later does
// not wait at all. The owner may set it while a call waits, from any thread, also in a
// signal handler; the call takes notice within a second or two. Zero is a valid start:
// none.
#ifndef CORE_DEADLINE_H
#define CORE_DEADLINE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct deadline {
    _Atomic int64_t at_ms; // 0: none
};

static inline void deadline_set(struct deadline *deadline, int64_t at_ms)
{
    atomic_store(&deadline->at_ms, at_ms);
}

// It is over now, whatever the clock says.
static inline void deadline_end(struct deadline *deadline)
{
    atomic_store(&deadline->at_ms, -1);
}

// Without one, or with NULL, no wait has to end.
static inline bool deadline_is_set(const struct deadline *deadline)
{
    return deadline != NULL && atomic_load(&deadline->at_ms) != 0;
}

// How long a wait of `most_ms` may last; 0: not at all.
static inline int64_t deadline_left(const struct deadline *deadline, int64_t now_ms,
                                    int64_t most_ms)
{
    int64_t at_ms = deadline != NULL ? atomic_load(&deadline->at_ms) : 0;
    if (at_ms == 0)
        return most_ms;
    int64_t left_ms = at_ms > now_ms ? at_ms - now_ms : 0;
    return left_ms < most_ms ? left_ms : most_ms;
}

static inline bool deadline_is_over(const struct deadline *deadline, int64_t now_ms)
{
    return deadline_left(deadline, now_ms, 1) == 0;
}

#endif
