// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <inttypes.h>

#include "base/log.h"
#include "work/worker_inside.h"

static void begin_assign(struct worker *worker, const struct stream_event *event)
{
    worker_drop_work(worker);
    membership_given(&worker->membership, event->partitions, event->n_partitions);
    worker->phase = WORKER_ASSIGN;
}

static void begin_return(struct worker *worker)
{
    if (worker->phase != WORKER_READ && worker->phase != WORKER_GATHER) {
        worker_let_go(worker);
        return;
    }
    pacer_set(&worker->pacer, TIMER_RETURN,
              worker_clock_ms(worker) + worker_settings(worker)->revoke_ms);
    worker->phase = WORKER_RETURN;
}

static enum status take_gap(struct worker *worker, const struct stream_gap *gap,
                            struct err *err)
{
    if (worker->phase != WORKER_READ)
        return ST_OK;
    TRY(unit_builder_gap(&worker->builder, gap, err));
    log_warn("topic '%.*s' partition %" PRId32 ": offsets %" PRId64 " to %" PRId64
             " had left the topic before they were read",
             STR_ARGS(worker->parts.topic->name), gap->partition, gap->wanted,
             gap->low - 1);
    membership_start_again(&worker->membership);
    pacer_set(&worker->pacer, TIMER_READ, worker_clock_ms(worker));
    return ST_OK;
}

static enum status waited_too_long(const struct worker *worker, const struct run *run,
                                   size_t n_used, struct err *err)
{
    return err_context(err, ST_FAIL,
                       "topic '%.*s' partition %" PRId32 " offset %" PRId64
                       ": waited for %" PRId64 " s (registry.retry)",
                       STR_ARGS(worker->parts.topic->name), run->partition,
                       run->records[n_used].offset,
                       worker_settings(worker)->schema_retry_ms / 1000);
}

// What its next record waits for may come; the other partitions go on.
static enum status hold_back(struct worker *worker, const struct run *run, size_t n_used,
                             struct err *err)
{
    struct stream *stream = worker->parts.stream;
    int64_t limit_ms = worker_settings(worker)->schema_retry_ms;
    bool is_said;
    if (!held_add(&worker->held, run->partition, n_used > 0, worker_clock_ms(worker),
                  limit_ms, &is_said))
        return waited_too_long(worker, run, n_used, err);
    if (is_said)
        log_warn("topic '%.*s' partition %" PRId32 " is held back at offset %" PRId64
                 ": %s",
                 STR_ARGS(worker->parts.topic->name), run->partition,
                 run->records[n_used].offset, err->text);
    stream->ops->hold_back(stream, run->partition, n_used);
    worker_show_waiting(worker, err->text);
    worker_set_waiting(worker, true);
    return ST_OK;
}

static void release_due(struct worker *worker)
{
    struct stream *stream = worker->parts.stream;
    size_t at = 0;
    int64_t now_ms = worker_clock_ms(worker);
    int32_t partition;
    while ((partition = held_take_due(&worker->held, now_ms, &at)) >= 0)
        stream->ops->release(stream, partition);
}

static enum status take_run(struct worker *worker, const struct run *run, struct err *err)
{
    size_t n_used;
    enum status rc = unit_builder_run(&worker->builder, run, &n_used, err);
    if (worker->builder.is_cut) { // it was asked to stop, and will be told how fast
        if (atomic_load(&worker->stop_at_ms) == 0)
            worker_stop(worker, 0);
        return ST_OK;
    }
    if (rc == ST_RETRY)
        return hold_back(worker, run, n_used, err);
    TRY(rc);
    if (held_drop(&worker->held, run->partition))
        log_info("topic '%.*s' partition %" PRId32 " goes on",
                 STR_ARGS(worker->parts.topic->name), run->partition);
    worker_set_waiting(worker, worker->held.n > 0);
    pacer_went_well(&worker->pacer, TIMER_READ);
    return ST_OK;
}

static enum status take_event(struct worker *worker, const struct stream_event *event,
                              struct err *err)
{
    switch (event->kind) {
    case STREAM_IDLE:
        return ST_OK;
    case STREAM_RUN:
        assert(worker->phase == WORKER_READ);
        lag_sign(&worker->lag);
        return take_run(worker, &event->run, err);
    case STREAM_ASSIGN:
        lag_sign(&worker->lag);
        begin_assign(worker, event);
        return ST_OK;
    case STREAM_REVOKE:
        begin_return(worker);
        return ST_OK;
    case STREAM_LOST:
        worker_let_go(worker);
        return ST_OK;
    case STREAM_GAP:
        return take_gap(worker, &event->gap, err);
    case STREAM_TROUBLE:
        log_warn("%s; the other partitions go on", event->trouble.reason);
        return ST_OK;
    }
    return ST_OK;
}

enum status worker_poll_held(struct worker *worker, int64_t timeout_ms, struct err *err)
{
    struct stream *stream = worker->parts.stream;
    struct stream_event event;
    stream->ops->hold(stream, true);
    TRY(stream->ops->poll(stream, (int)timeout_ms, &event, err));
    return take_event(worker, &event, err);
}

enum status worker_poll(struct worker *worker, struct err *err)
{
    struct stream *stream = worker->parts.stream;
    struct stream_event event;
    int64_t timeout_ms = pacer_poll_ms(&worker->pacer, worker_clock_ms(worker));
    release_due(worker);
    stream->ops->hold(stream, false);
    TRY(stream->ops->poll(stream, (int)timeout_ms, &event, err));
    pacer_polled(&worker->pacer, &event, worker_clock_ms(worker),
                 worker_settings(worker)->batch_interval_ms);
    if (event.kind == STREAM_IDLE) {
        pacer_went_well(&worker->pacer, TIMER_READ);
        worker_set_waiting(worker, worker->held.n > 0);
    }
    return take_event(worker, &event, err);
}
