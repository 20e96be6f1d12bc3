// SPDX-License-Identifier: Apache-2.0
#include <assert.h>

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
    pacer_set(&worker->reading.pacer, TIMER_RETURN,
              worker_clock_ms(worker) + worker_settings(worker)->revoke_ms);
    worker->phase = WORKER_RETURN;
}

static enum status take_gap(struct worker *worker, const struct stream_gap *gap,
                            struct err *err)
{
    if (worker->phase != WORKER_READ)
        return ST_OK;
    TRY(reading_take_gap(&worker->reading, gap, err));
    membership_start_again(&worker->membership);
    return ST_OK;
}

static enum status take_run(struct worker *worker, const struct run *run, struct err *err)
{
    TRY(reading_take_run(&worker->reading, run, err));
    // It was asked to stop, and will be told how fast.
    if (worker->reading.builder.is_cut && atomic_load(&worker->stop_at_ms) == 0)
        worker_stop(worker, 0);
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
    struct stream_event event;
    TRY(reading_poll_held(&worker->reading, timeout_ms, &event, err));
    return take_event(worker, &event, err);
}

enum status worker_poll(struct worker *worker, struct err *err)
{
    struct stream_event event;
    TRY(reading_poll(&worker->reading, &event, err));
    return take_event(worker, &event, err);
}
