// SPDX-License-Identifier: Apache-2.0
#include "table/query_limit.h"

#include "core/env.h"

static int64_t now_ms(void)
{
    struct env *env = env_system();
    return env->ops->monotonic_ms(env);
}

void query_limit_begin(struct query_limit *limit, size_t n_records)
{
    int64_t ms = n_records == 1 ? limit->timeout_ms : limit->timeout_ms / LATE_PART;
    limit->until_ms = now_ms() + ms;
    limit->end = QUERY_GOES_ON;
}

bool query_limit_ask(struct query_limit *limit)
{
    if (limit->end == QUERY_GOES_ON && now_ms() >= limit->until_ms)
        limit->end = QUERY_LATE;
    if (limit->end == QUERY_GOES_ON && limit->go_on != NULL &&
        !limit->go_on(limit->go_on_arg))
        limit->end = QUERY_STOPPED;
    return limit->end == QUERY_GOES_ON;
}
