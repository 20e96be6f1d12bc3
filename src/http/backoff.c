// SPDX-License-Identifier: Apache-2.0
#include "http/backoff.h"

enum {
    FIRST_MS = 200,
    LAST_MS = 3000,
    SLICE_MS = 100 // how often a pause looks at the deadline
};

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t next_ms(struct http_backoff *backoff, struct env *env)
{
    uint32_t chance;
    int64_t ms = backoff->last_ms ? smaller(2 * backoff->last_ms, LAST_MS) : FIRST_MS;
    backoff->last_ms = ms;
    env->ops->random(env, &chance, sizeof(chance));
    return ms / 2 + (int64_t)(chance % (uint32_t)(ms / 2 + 1));
}

bool http_backoff_pause(struct http_backoff *backoff, struct env *env, int64_t most_ms,
                        const struct deadline *deadline)
{
    int64_t left_ms = smaller(next_ms(backoff, env), most_ms);
    while (left_ms > 0 && !deadline_is_over(deadline, env->ops->monotonic_ms(env))) {
        int64_t slice_ms = smaller(left_ms, SLICE_MS);
        env->ops->sleep_ms(env, slice_ms);
        left_ms -= slice_ms;
    }
    return !deadline_is_over(deadline, env->ops->monotonic_ms(env));
}
