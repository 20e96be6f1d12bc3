// SPDX-License-Identifier: Apache-2.0
// How long to pause before a call that failed for now is made again: 100 ms, doubling to
// 10 s, until a limit since the first failure in a row. Zero is a valid start.
#ifndef ENGINE_RETRY_H
#define ENGINE_RETRY_H

#include <stdbool.h>
#include <stdint.h>

struct retry {
    int64_t since_ms; // monotonic, of the first failure in a row
    int64_t delay_ms; // the last pause; 0: no failure yet
};

// False: the limit has passed. Else when to try again.
static inline bool retry_again(struct retry *retry, int64_t now_ms, int64_t limit_ms,
                               int64_t *ret_until_ms)
{
    if (retry->delay_ms == 0)
        retry->since_ms = now_ms;
    else if (now_ms - retry->since_ms >= limit_ms)
        return false;
    retry->delay_ms = retry->delay_ms ? 2 * retry->delay_ms : 100;
    if (retry->delay_ms > 10000)
        retry->delay_ms = 10000;
    *ret_until_ms = now_ms + retry->delay_ms;
    return true;
}

static inline void retry_reset(struct retry *retry)
{
    *retry = (struct retry){0};
}

#endif
