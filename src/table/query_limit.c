// SPDX-License-Identifier: Apache-2.0
#include "table/query_limit.h"

#include "core/env.h"

static int64_t now_ms(void)
{
    struct env *env = env_system();
    return env->ops->monotonic_ms(env);
}

int64_t query_limit_until(int64_t timeout_ms, size_t n_records)
{
    return now_ms() + (n_records == 1 ? timeout_ms : timeout_ms / LATE_PART);
}

void query_limit_begin(struct query_limit *limit, size_t n_records)
{
    limit->until_ms = query_limit_until(limit->timeout_ms, n_records);
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
