// SPDX-License-Identifier: Apache-2.0
// How long to pause before a call that failed for now is made again: 100 ms, doubling to
// 10 s, until a limit since the first call that failed in a row began (it may have tried
// for long by itself); with a limit of 0 once. Zero is a valid start.
#ifndef COMMIT_RETRY_H
#define COMMIT_RETRY_H

#include <stdbool.h>
#include <stdint.h>

enum {
    RETRY_FIRST_MS = 100,
    RETRY_LONGEST_MS = 10000
};

struct retry {
    int64_t since_ms; // monotonic, when the first of them began
    int64_t delay_ms; // the last pause; 0: no failure yet
};

// False: the limit has passed. Else when to try again.
static inline bool retry_again(struct retry *retry, int64_t began_ms, int64_t now_ms,
                               int64_t limit_ms, int64_t *ret_until_ms)
{
    if (retry->delay_ms == 0)
        retry->since_ms = began_ms;
    bool is_used_up = now_ms - retry->since_ms >= limit_ms;
    if (is_used_up && (retry->delay_ms != 0 || limit_ms > 0))
        return false;
    retry->delay_ms = retry->delay_ms ? 2 * retry->delay_ms : RETRY_FIRST_MS;
    if (retry->delay_ms > RETRY_LONGEST_MS)
        retry->delay_ms = RETRY_LONGEST_MS;
    *ret_until_ms = now_ms + retry->delay_ms;
    return true;
}

static inline void retry_reset(struct retry *retry)
{
    *retry = (struct retry){0};
}

#endif
