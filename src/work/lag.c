// SPDX-License-Identifier: Apache-2.0
#include "work/lag.h"

#include <stdlib.h>

#include "base/log.h"

enum {
    ROUND_MS = 10000,
    WHOLE_ROUND_MS = 500, // of all that the log knows
    PAUSE_MIN_MS = 100,
    SILENT_MS = 30000 // to the next question after one without an answer
};

static void release_ours(struct lag *lag)
{
    free(lag->records);
    free(lag->ms);
    free(lag->is_silent);
}

void lag_release(struct lag *lag)
{
    release_ours(lag);
    free(lag->known);
    *lag = (struct lag){0};
}

void lag_learn(struct lag *lag, const struct progress *log, size_t n,
               struct engine_status *status)
{
    lag->known = mem_resize(lag->known, n + 1, sizeof(*lag->known));
    lag->n_known = n;
    for (size_t i = 0; i < n; i++) {
        const struct record_mark *last = &log[i].last;
        lag->known[i] = (struct stream_start){log[i].partition, log[i].next};
        board_committed(&status->board, log[i].partition,
                        (struct board_mark){last->offset, last->time_ms}, log[i].next);
    }
}

static void show_ours(const struct progress *ours, size_t n, struct board *board)
{
    if (n == 0) {
        board_let_go(board);
        return;
    }
    struct board_partition *shown = mem_array(n, sizeof(*shown));
    for (size_t i = 0; i < n; i++)
        shown[i] = (struct board_partition){
            .partition = ours[i].partition,
            .read = ours[i].next,
            .committed_time_ms = ours[i].last.offset >= 0 ? ours[i].last.time_ms : -1,
        };
    board_assign(board, shown, n);
    free(shown);
}

void lag_reset(struct lag *lag, const struct progress *ours, size_t n,
               struct engine_status *status)
{
    show_ours(ours, n, &status->board);
    release_ours(lag);
    *lag = (struct lag){.known = lag->known, .n_known = lag->n_known};
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

static void measure(struct lag *lag, size_t at, const struct span *span, int64_t high,
                    int64_t now_ms)
{
    bool is_behind = high > span->next;
    bool has_time = span->last.offset >= 0 && span->last.time_ms >= 0;
    lag->records[at] = is_behind ? high - span->next : 0;
    lag->ms[at] = is_behind && has_time && now_ms > span->last.time_ms
                      ? now_ms - span->last.time_ms
                      : 0;
}

static void note_silence(struct lag *lag, size_t at, const struct message *message,
                         struct str topic, struct env *env)
{
    bool is_silent = message->err.status == ST_RETRY;
    bool was_silent = lag->is_silent[at];
    lag->is_silent[at] = is_silent;
    lag->n_silent += (size_t)is_silent - (size_t)was_silent;
    if (is_silent) {
        log_warn("%s; waiting for them", message->err.text);
        lag->next_ms = env->ops->monotonic_ms(env) + SILENT_MS;
    } else if (was_silent && lag->n_silent == 0) {
        log_info("topic '%.*s': its brokers answer again", STR_ARGS(topic));
    }
}

// Asking.

// The place of a partition among ours; their number: it is not there.
static size_t place_of(const struct unit *unit, int32_t partition)
{
    size_t n = unit == NULL ? 0 : unit->n_spans, at = 0;
    while (at < n && unit->spans[at].partition != partition)
        at++;
    return at;
}

static struct probe ask_ours(const struct lag_question *question, size_t at)
{
    const struct span *span = &question->unit->spans[at];
    if (!question->is_whole)
        return (struct probe){.kind = PROBE_RANGE, .partition = span->partition};
    return (struct probe){.kind = PROBE_LAG,
                          .partition = span->partition,
                          .next = question->is_read ? span->next : -1};
}

// Whose turn it is; false: all have had theirs.
static bool next_probe(struct lag *lag, const struct lag_question *question,
                       struct probe *ret)
{
    const struct unit *unit = question->unit;
    size_t n = unit == NULL ? 0 : unit->n_spans;
    size_t n_all = n + (question->is_whole ? lag->n_known : 0);
    for (; lag->at < n_all; lag->at++) {
        if (lag->at < n) {
            *ret = ask_ours(question, lag->at++);
            return true;
        }
        const struct stream_start *known = &lag->known[lag->at - n];
        if (place_of(unit, known->partition) < n)
            continue;
        lag->at++;
        *ret = (struct probe){
            .kind = PROBE_LAG, .partition = known->partition, .next = known->offset};
        return true;
    }
    lag->at = 0;
    return false;
}

struct message *lag_ask(struct lag *lag, struct env *env,
                        const struct lag_question *question)
{
    int64_t now_ms = env->ops->monotonic_ms(env);
    struct probe probe;
    if (now_ms < lag->next_ms ||
        (question->unit != NULL && question->unit->n_spans != lag->n))
        return NULL;
    if (!next_probe(lag, question, &probe) && !next_probe(lag, question, &probe))
        return NULL;
    bool is_whole = question->is_whole;
    size_t n = is_whole && lag->n_known > lag->n ? lag->n_known : lag->n;
    int64_t pause_ms = (is_whole ? WHOLE_ROUND_MS : ROUND_MS) / (int64_t)(n > 0 ? n : 1);
    lag->next_ms = now_ms + (pause_ms > PAUSE_MIN_MS ? pause_ms : PAUSE_MIN_MS);
    struct message *message = message_probes(PROBES_LAG, question->generation, 1);
    message->probes[message->n_probes++] = probe;
    return message;
}

static void tell_ours(struct lag *lag, size_t at, const struct message *message,
                      struct str topic, struct env *env, const struct span *span,
                      struct engine_status *status)
{
    const struct probe *probe = &message->probes[0];
    if (probe->is_answered)
        measure(lag, at, span, probe->range.high, env->ops->wall_ms(env));
    note_silence(lag, at, message, topic, env);
    show(lag, status);
}

void lag_told(struct lag *lag, const struct message *message, struct str topic,
              struct env *env, const struct unit *unit, struct engine_status *status)
{
    const struct probe *probe = &message->probes[0];
    size_t at = place_of(unit, probe->partition);
    struct board_mark unread = {-1, -1};
    if (probe->kind == PROBE_LAG && probe->next >= 0 && probe->time_ms >= 0)
        unread = (struct board_mark){probe->next, probe->time_ms};
    if (probe->is_answered)
        board_end(&status->board, probe->partition, probe->range.high, unread);
    if (unit != NULL && at < unit->n_spans)
        tell_ours(lag, at, message, topic, env, &unit->spans[at], status);
    else if (message->err.status == ST_RETRY)
        lag->next_ms = env->ops->monotonic_ms(env) + SILENT_MS;
}
