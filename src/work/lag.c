// SPDX-License-Identifier: Apache-2.0
#include "work/lag.h"

#include <stdlib.h>

#include "base/log.h"

enum {
    LOOK_MS = 500,
    ROUND_MS = 10000,
    WHOLE_ROUND_MS = 500, // of all that the log knows
    PAUSE_MIN_MS = 100,
    SILENT_MS = 30000 // to the next question after one without an answer
};

static const struct board_mark no_mark = {-1, -1};

void lag_init(struct lag *lag, const struct lag_parts *parts)
{
    *lag = (struct lag){.parts = *parts};
    board_watch(&parts->status->board, parts->is_whole);
}

void lag_release(struct lag *lag)
{
    free(lag->ours);
    free(lag->known);
}

static int64_t now_ms(const struct lag *lag)
{
    return lag->parts.env->ops->monotonic_ms(lag->parts.env);
}

static struct board *board_of(const struct lag *lag)
{
    return &lag->parts.status->board;
}

void lag_learn(struct lag *lag, const struct progress *log, size_t n)
{
    lag->known = mem_resize(lag->known, n + 1, sizeof(*lag->known));
    lag->n_known = n;
    for (size_t i = 0; i < n; i++) {
        const struct record_mark *last = &log[i].last;
        lag->known[i] =
            (struct stream_start){.partition = log[i].partition, .offset = log[i].next};
        board_committed(board_of(lag), log[i].partition,
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

void lag_reset(struct lag *lag, const struct progress *ours, size_t n)
{
    struct engine_status *status = lag->parts.status;
    show_ours(ours, n, &status->board);
    free(lag->ours);
    *lag = (struct lag){
        .parts = lag->parts,
        .ours = mem_array(n + 1, sizeof(*lag->ours)),
        .n = n,
        .is_away = lag->is_away || lag->n_silent > 0,
        .known = lag->known,
        .n_known = lag->n_known,
    };
    for (size_t i = 0; i < n; i++)
        lag->ours[i].unread = no_mark;
    pacer_set(lag->parts.pacer, TIMER_LAG_LOOK, 0);
    pacer_set(lag->parts.pacer, TIMER_LAG_ASK, 0);
    atomic_store(&status->n_partitions, (int64_t)n);
}

// What is known of an end.

static void note_silence(struct lag *lag, size_t at, const char *why)
{
    lag->n_silent += !lag->ours[at].is_silent;
    lag->ours[at].is_silent = true;
    log_warn("%s; waiting for them", why);
    pacer_set(lag->parts.pacer, TIMER_LAG_ASK, now_ms(lag) + SILENT_MS);
}

void lag_away(struct lag *lag)
{
    lag->is_away = true;
}

// Of one of several that were silent it is not said: the last one says it.
void lag_sign(struct lag *lag)
{
    if (!lag->is_away || lag->n_silent > 0)
        return;
    log_info("topic '%.*s': its brokers answer again", STR_ARGS(lag->parts.topic->name));
    lag->is_away = false;
}

static void note_sign(struct lag *lag, size_t at)
{
    bool was_silent = lag->ours[at].is_silent;
    lag->ours[at].is_silent = false;
    lag->n_silent -= was_silent;
    lag->is_away |= was_silent;
    lag_sign(lag);
}

// By the stream.

static void look_at(struct lag *lag, size_t at, const struct span *span)
{
    const struct lag_parts *parts = &lag->parts;
    struct lag_partition *ours = &lag->ours[at];
    struct stream_ahead ahead;
    if (parts->ahead != NULL)
        parts->ahead(parts->context, span->partition, &ahead);
    else
        parts->stream->ops->ahead(parts->stream, span->partition, &ahead);
    lag->n_told += (size_t)(ahead.end >= 0) - (size_t)ours->is_told;
    ours->is_told = ahead.end >= 0;
    ours->unread =
        ahead.unread_ms >= 0 ? (struct board_mark){span->next, ahead.unread_ms} : no_mark;
    if (!ours->is_told)
        return;
    board_end(board_of(lag), span->partition, ahead.end, ours->unread);
    note_sign(lag, at);
}

void lag_look(struct lag *lag, const struct unit *unit)
{
    int64_t now = now_ms(lag);
    if (unit == NULL || unit->n_spans != lag->n ||
        !pacer_is_due(lag->parts.pacer, TIMER_LAG_LOOK, now))
        return;
    pacer_set(lag->parts.pacer, TIMER_LAG_LOOK, now + LOOK_MS);
    for (size_t i = 0; i < lag->n; i++)
        look_at(lag, i, &unit->spans[i]);
}

// By the topic.

// The place of a partition among ours; their number: it is not there.
static size_t place_of(const struct unit *unit, int32_t partition)
{
    size_t n = unit == NULL ? 0 : unit->n_spans, at = 0;
    while (at < n && unit->spans[at].partition != partition)
        at++;
    return at;
}

static struct probe ask_ours(const struct lag *lag, const struct span *span, size_t at)
{
    bool is_at_hand = lag->ours[at].unread.time_ms >= 0;
    if (!lag->parts.is_whole || is_at_hand)
        return (struct probe){.kind = PROBE_RANGE, .partition = span->partition};
    return (struct probe){
        .kind = PROBE_LAG, .partition = span->partition, .next = span->next};
}

// Whose turn it is of those to be asked about; false: all have had theirs.
static bool next_probe(struct lag *lag, const struct unit *unit, struct probe *ret)
{
    size_t n = unit == NULL ? 0 : unit->n_spans;
    size_t n_all = n + (lag->parts.is_whole ? lag->n_known : 0);
    while (lag->at < n_all) {
        size_t at = lag->at++;
        if (at < n && lag->ours[at].is_told)
            continue;
        if (at < n) {
            *ret = ask_ours(lag, &unit->spans[at], at);
            return true;
        }
        const struct stream_start *known = &lag->known[at - n];
        if (place_of(unit, known->partition) < n)
            continue;
        *ret = (struct probe){
            .kind = PROBE_LAG, .partition = known->partition, .next = known->offset};
        return true;
    }
    lag->at = 0;
    return false;
}

// Between two questions, by how many there are in a round.
static int64_t pause_ms(const struct lag *lag)
{
    bool is_whole = lag->parts.is_whole;
    size_t n_others = lag->n_known > lag->n ? lag->n_known - lag->n : 0;
    size_t n = lag->n - lag->n_told + (is_whole ? n_others : 0);
    int64_t ms = (is_whole ? WHOLE_ROUND_MS : ROUND_MS) / (int64_t)(n > 0 ? n : 1);
    return ms > PAUSE_MIN_MS ? ms : PAUSE_MIN_MS;
}

struct message *lag_ask(struct lag *lag, const struct unit *unit, int64_t generation)
{
    int64_t now = now_ms(lag);
    struct probe probe;
    if (!pacer_is_due(lag->parts.pacer, TIMER_LAG_ASK, now) ||
        (unit != NULL && unit->n_spans != lag->n))
        return NULL;
    pacer_set(lag->parts.pacer, TIMER_LAG_ASK, now + pause_ms(lag));
    if (!next_probe(lag, unit, &probe) && !next_probe(lag, unit, &probe))
        return NULL;
    struct message *message = message_probes(PROBES_LAG, generation, 1);
    message->probes[message->n_probes++] = probe;
    return message;
}

static struct board_mark unread_of(const struct probe *probe)
{
    bool is_known = probe->kind == PROBE_LAG && probe->time_ms >= 0;
    return is_known ? (struct board_mark){probe->next, probe->time_ms} : no_mark;
}

static void tell_ours(struct lag *lag, size_t at, const struct message *message,
                      const struct span *span)
{
    const struct probe *probe = &message->probes[0];
    if (lag->ours[at].unread.time_ms < 0)
        lag->ours[at].unread = unread_of(probe);
    if (probe->is_answered)
        board_end(board_of(lag), span->partition, probe->range.high,
                  lag->ours[at].unread);
    if (message->err.status == ST_RETRY)
        note_silence(lag, at, message->err.text);
    else
        note_sign(lag, at);
}

void lag_told(struct lag *lag, const struct message *message, const struct unit *unit)
{
    const struct probe *probe = &message->probes[0];
    size_t at = place_of(unit, probe->partition);
    if (unit != NULL && at < unit->n_spans)
        tell_ours(lag, at, message, &unit->spans[at]);
    else if (probe->is_answered)
        board_end(board_of(lag), probe->partition, probe->range.high, unread_of(probe));
    else if (message->err.status == ST_RETRY)
        pacer_set(lag->parts.pacer, TIMER_LAG_ASK, now_ms(lag) + SILENT_MS);
}
