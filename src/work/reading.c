// SPDX-License-Identifier: Apache-2.0
#include "work/reading.h"

#include <inttypes.h>

#include "base/log.h"

void reading_init(struct reading *reading, const struct unit_builder_parts *parts)
{
    *reading = (struct reading){0};
    pacer_init(&reading->pacer);
    unit_builder_init(&reading->builder, parts);
}

void reading_release(struct reading *reading)
{
    unit_builder_release(&reading->builder);
    held_release(&reading->held);
}

static const struct unit_builder_parts *parts_of(const struct reading *reading)
{
    return &reading->builder.parts;
}

static const struct job_settings *settings_of(const struct reading *reading)
{
    return &parts_of(reading)->job->settings;
}

static int64_t clock_ms(const struct reading *reading)
{
    struct env *env = parts_of(reading)->env;
    return env->ops->monotonic_ms(env);
}

void reading_show_waiting(struct reading *reading, const char *why)
{
    struct env *env = parts_of(reading)->env;
    board_waiting(&parts_of(reading)->status->board, why, env->ops->wall_ms(env));
}

void reading_set_waiting(struct reading *reading, bool is_waiting)
{
    struct engine_status *status = parts_of(reading)->status;
    if (is_waiting == reading->is_waiting)
        return;
    atomic_fetch_add(&status->n_waiting, is_waiting ? 1 : -1);
    board_waits(&status->board, is_waiting);
    reading->is_waiting = is_waiting;
}

// Runs.

static enum status waited_too_long(const struct reading *reading, const struct run *run,
                                   size_t n_used, struct err *err)
{
    return err_context(err, ST_FAIL,
                       "topic '%.*s' partition %" PRId32 " offset %" PRId64
                       ": waited for %" PRId64 " s (registry.retry)",
                       STR_ARGS(parts_of(reading)->topic->name), run->partition,
                       run->records[n_used].offset,
                       settings_of(reading)->schema_retry_ms / 1000);
}

// What its next record waits for may come; the other partitions go on.
static enum status hold_back(struct reading *reading, const struct run *run,
                             size_t n_used, struct err *err)
{
    struct stream *stream = parts_of(reading)->stream;
    int64_t limit_ms = settings_of(reading)->schema_retry_ms;
    bool is_said;
    if (!held_add(&reading->held, run->partition, n_used > 0, clock_ms(reading), limit_ms,
                  &is_said))
        return waited_too_long(reading, run, n_used, err);
    if (is_said)
        log_warn("topic '%.*s' partition %" PRId32 " is held back at offset %" PRId64
                 ": %s",
                 STR_ARGS(parts_of(reading)->topic->name), run->partition,
                 run->records[n_used].offset, err->text);
    stream->ops->hold_back(stream, run->partition, n_used);
    reading_show_waiting(reading, err->text);
    reading_set_waiting(reading, true);
    return ST_OK;
}

static void release_due(struct reading *reading)
{
    struct stream *stream = parts_of(reading)->stream;
    size_t at = 0;
    int64_t now_ms = clock_ms(reading);
    int32_t partition;
    while ((partition = held_take_due(&reading->held, now_ms, &at)) >= 0)
        stream->ops->release(stream, partition);
}

enum status reading_take_run(struct reading *reading, const struct run *run,
                             struct err *err)
{
    size_t n_used;
    enum status rc = unit_builder_run(&reading->builder, run, &n_used, err);
    if (reading->builder.is_cut)
        return ST_OK;
    if (rc == ST_RETRY)
        return hold_back(reading, run, n_used, err);
    TRY(rc);
    if (held_drop(&reading->held, run->partition))
        log_info("topic '%.*s' partition %" PRId32 " goes on",
                 STR_ARGS(parts_of(reading)->topic->name), run->partition);
    reading_set_waiting(reading, reading->held.n > 0);
    pacer_went_well(&reading->pacer, TIMER_READ);
    return ST_OK;
}

enum status reading_take_gap(struct reading *reading, const struct stream_gap *gap,
                             struct err *err)
{
    TRY(unit_builder_gap(&reading->builder, gap, err));
    log_warn("topic '%.*s' partition %" PRId32 ": offsets %" PRId64 " to %" PRId64
             " had left the topic before they were read",
             STR_ARGS(parts_of(reading)->topic->name), gap->partition, gap->wanted,
             gap->low - 1);
    pacer_set(&reading->pacer, TIMER_READ, clock_ms(reading));
    return ST_OK;
}

// Polls.

enum status reading_poll_held(struct reading *reading, int64_t timeout_ms,
                              struct stream_event *ret, struct err *err)
{
    struct stream *stream = parts_of(reading)->stream;
    stream->ops->hold(stream, true);
    return stream->ops->poll(stream, (int)timeout_ms, ret, err);
}

enum status reading_poll(struct reading *reading, struct stream_event *ret,
                         struct err *err)
{
    struct stream *stream = parts_of(reading)->stream;
    int64_t timeout_ms = pacer_poll_ms(&reading->pacer, clock_ms(reading));
    release_due(reading);
    stream->ops->hold(stream, false);
    TRY(stream->ops->poll(stream, (int)timeout_ms, ret, err));
    pacer_polled(&reading->pacer, ret, clock_ms(reading),
                 settings_of(reading)->batch_interval_ms);
    if (ret->kind == STREAM_IDLE) {
        pacer_went_well(&reading->pacer, TIMER_READ);
        reading_set_waiting(reading, reading->held.n > 0);
    }
    return ST_OK;
}

void reading_pace(struct reading *reading)
{
    const struct draft *draft = reading->builder.draft;
    bool has_work = draft != NULL && !draft_is_empty(draft);
    pacer_set(&reading->pacer, TIMER_UNIT,
              has_work
                  ? reading->builder.opened_ms + settings_of(reading)->commit_interval_ms
                  : PACER_NEVER);
    pacer_set(&reading->pacer, TIMER_HELD, held_next_ms(&reading->held));
}
