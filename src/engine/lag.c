// SPDX-License-Identifier: Apache-2.0
#include "engine/lag.h"

#include <stdlib.h>

#include "base/log.h"

enum {
    ROUND_MS = 10000,
    PAUSE_MIN_MS = 100,
    SILENT_MS = 30000 // to the next question after one without an answer
};

void lag_release(struct lag *lag)
{
    free(lag->records);
    free(lag->ms);
    *lag = (struct lag){0};
}

void lag_reset(struct lag *lag, size_t n, struct engine_status *status)
{
    lag_release(lag);
    lag->records = mem_array(n + 1, sizeof(*lag->records));
    lag->ms = mem_array(n + 1, sizeof(*lag->ms));
    lag->n = n;
    atomic_store(&status->n_partitions, (int64_t)n);
    atomic_store(&status->lag_records, 0);
    atomic_store(&status->lag_ms, 0);
}

static void show(const struct lag *lag, struct engine_status *status)
{
    int64_t records = 0, ms = 0;
    for (size_t i = 0; i < lag->n; i++) {
        records += lag->records[i];
        ms = lag->ms[i] > ms ? lag->ms[i] : ms;
    }
    atomic_store(&status->lag_records, records);
    atomic_store(&status->lag_ms, ms);
}

static void measure(struct lag *lag, const struct span *span, int64_t high,
                    int64_t now_ms)
{
    bool is_behind = high > span->next;
    bool has_time = span->last.offset >= 0 && span->last.time_ms >= 0;
    lag->records[lag->at] = is_behind ? high - span->next : 0;
    lag->ms[lag->at] = is_behind && has_time && now_ms > span->last.time_ms
                           ? now_ms - span->last.time_ms
                           : 0;
}

static void ask(struct lag *lag, struct source *source, struct env *env,
                const struct span *span)
{
    struct source_range range;
    struct err err;
    enum status rc = source->ops->range(source, span->partition, &range, &err);
    if (rc == ST_OK)
        measure(lag, span, range.high, env->ops->wall_ms(env));
    if (rc == ST_RETRY) {
        log_warn("%s; waiting for them, however long that takes", err.text);
        lag->next_ms = env->ops->monotonic_ms(env) + SILENT_MS;
    } else if (rc == ST_OK && lag->is_silent) {
        log_info("topic '%.*s': its brokers answer again", STR_ARGS(source->topic));
    }
    lag->is_silent = rc == ST_RETRY;
}

void lag_step(struct lag *lag, struct source *source, struct env *env,
              const struct unit *unit, struct engine_status *status)
{
    int64_t now_ms = env->ops->monotonic_ms(env);
    if (now_ms < lag->next_ms || lag->n == 0 || unit->n_spans != lag->n)
        return;
    int64_t pause_ms = ROUND_MS / (int64_t)lag->n;
    lag->next_ms = now_ms + (pause_ms > PAUSE_MIN_MS ? pause_ms : PAUSE_MIN_MS);
    ask(lag, source, env, &unit->spans[lag->at]);
    lag->at = (lag->at + 1) % lag->n;
    show(lag, status);
}
