// SPDX-License-Identifier: Apache-2.0
#include "work/lag.h"

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
    free(lag->is_silent);
    *lag = (struct lag){0};
}

void lag_reset(struct lag *lag, size_t n, struct engine_status *status)
{
    lag_release(lag);
    lag->records = mem_array(n + 1, sizeof(*lag->records));
    lag->ms = mem_array(n + 1, sizeof(*lag->ms));
    lag->is_silent = mem_array(n + 1, sizeof(*lag->is_silent));
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

static void note_silence(struct lag *lag, const struct message *message, struct str topic,
                         struct env *env)
{
    bool is_silent = message->err.status == ST_RETRY;
    bool was_silent = lag->is_silent[lag->at];
    lag->is_silent[lag->at] = is_silent;
    lag->n_silent += (size_t)is_silent - (size_t)was_silent;
    if (is_silent) {
        log_warn("%s; waiting for them", message->err.text);
        lag->next_ms = env->ops->monotonic_ms(env) + SILENT_MS;
    } else if (was_silent && lag->n_silent == 0) {
        log_info("topic '%.*s': its brokers answer again", STR_ARGS(topic));
    }
}

struct message *lag_ask(struct lag *lag, struct env *env, const struct unit *unit,
                        int64_t generation)
{
    int64_t now_ms = env->ops->monotonic_ms(env);
    if (now_ms < lag->next_ms || lag->n == 0 || unit->n_spans != lag->n)
        return NULL;
    int64_t pause_ms = ROUND_MS / (int64_t)lag->n;
    lag->next_ms = now_ms + (pause_ms > PAUSE_MIN_MS ? pause_ms : PAUSE_MIN_MS);
    struct message *message = message_probes(PROBES_LAG, generation, 1);
    message->probes[message->n_probes++] =
        (struct probe){.kind = PROBE_RANGE, .partition = unit->spans[lag->at].partition};
    return message;
}

void lag_told(struct lag *lag, const struct message *message, struct str topic,
              struct env *env, const struct unit *unit, struct engine_status *status)
{
    const struct probe *probe = &message->probes[0];
    if (probe->is_answered)
        measure(lag, &unit->spans[lag->at], probe->range.high, env->ops->wall_ms(env));
    note_silence(lag, message, topic, env);
    lag->at = (lag->at + 1) % lag->n;
    show(lag, status);
}
