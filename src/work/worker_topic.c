// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"
#include "work/worker_inside.h"

enum {
    WATCH_MS = 1000 // how often the log is read for what others commit
};

// Units.

enum status worker_close_unit(struct worker *worker, struct err *err)
{
    struct draft *draft;
    TRY(unit_builder_finish(&worker->reading.builder, &draft, err));
    struct message *message = message_new(ASK_UNIT, worker->membership.generation);
    message->draft = draft;
    membership_keep(&worker->membership, &draft->unit);
    worker_send(worker, message);
    worker->n_units++;
    return ST_OK;
}

// An assignment and its late partitions.

static void take_assignment(struct worker *worker, const struct message *message)
{
    if (worker->phase != WORKER_ASSIGN)
        return;
    if (membership_told(&worker->membership, message, worker_clock_ms(worker)))
        pacer_went_well(&worker->reading.pacer, TIMER_READ);
    else
        pacer_set(&worker->reading.pacer, TIMER_READ,
                  worker_pause(worker, TIMER_READ, message->err.text));
}

static void ask_late(struct worker *worker)
{
    if (worker->membership.n_late && !worker->is_asked[PROBES_LATE] &&
        pacer_is_due(&worker->reading.pacer, TIMER_LATE, worker_clock_ms(worker)))
        worker_ask(worker, membership_ask_late(&worker->membership));
}

void worker_begin_late(struct worker *worker)
{
    struct pacer *pacer = &worker->reading.pacer;
    if (worker->membership.n_late == 0)
        pacer_went_well(pacer, TIMER_LATE);
    else
        pacer_set(pacer, TIMER_LATE,
                  pacer_again(pacer, TIMER_LATE, worker_clock_ms(worker)));
}

static void take_late(struct worker *worker, const struct message *message)
{
    size_t n_answered = 0;
    for (size_t i = 0; i < message->n_probes; i++)
        n_answered += message->probes[i].is_answered;
    if (worker->phase != WORKER_READ)
        return;
    worker_begin_late(worker);
    if (n_answered == 0)
        return;
    log_info("topic '%.*s': %zu of the partitions that did not answer do now; after a "
             "commit all are claimed again",
             STR_ARGS(worker->parts.topic->name), n_answered);
    worker->phase = WORKER_GATHER;
}

// The lag.

// Ours, or NULL: none are.
static const struct unit *open_unit(const struct worker *worker)
{
    if (worker->phase != WORKER_READ)
        return NULL;
    return worker->hands.n > 0 ? &worker->hands.whole->unit
                               : &worker->reading.builder.draft->unit;
}

static void ask_lag(struct worker *worker)
{
    const struct unit *unit = open_unit(worker);
    lag_look(&worker->lag, unit);
    if (worker->is_asked[PROBES_LAG])
        return;
    struct message *message = lag_ask(&worker->lag, unit, worker->membership.generation);
    if (message != NULL)
        worker_ask(worker, message);
}

static void take_lag(struct worker *worker, const struct message *message)
{
    if (worker->phase == WORKER_READ || worker->phase == WORKER_IDLE)
        lag_told(&worker->lag, message, open_unit(worker));
}

// The goal of a run --once.

static void take_goal(struct worker *worker, const struct message *message)
{
    goal_told(&worker->goal, message);
    if (message->err.status == ST_RETRY)
        pacer_set(&worker->reading.pacer, TIMER_GOAL,
                  worker_pause(worker, TIMER_GOAL, message->err.text));
    else
        pacer_went_well(&worker->reading.pacer, TIMER_GOAL);
}

// The whole.

static void ask_log(struct worker *worker)
{
    if (worker->question != QUESTION_NONE)
        return;
    worker->question = QUESTION_LOG;
    worker_send(worker, message_new(ASK_STATE, worker->membership.generation));
}

// What they have committed.
static void watch_others(struct worker *worker)
{
    int64_t now_ms = worker_clock_ms(worker);
    if (!worker_settings(worker)->watches_whole_job ||
        !pacer_is_due(&worker->reading.pacer, TIMER_WATCH, now_ms) ||
        worker->lag.n_known <= worker->lag.n)
        return;
    pacer_set(&worker->reading.pacer, TIMER_WATCH, now_ms + WATCH_MS);
    ask_log(worker);
}

void worker_ask_topic(struct worker *worker)
{
    if (worker->phase == WORKER_READ)
        ask_late(worker);
    if (worker->phase != WORKER_READ && worker->phase != WORKER_IDLE)
        return;
    ask_lag(worker);
    watch_others(worker);
}

static bool is_final(const struct message *message)
{
    return message->err.status != ST_OK && message->err.status != ST_RETRY;
}

void worker_take_topic(struct worker *worker, const struct message *message)
{
    worker->is_asked[message->purpose] = false;
    bool is_of_now = message->generation == worker->membership.generation;
    if (!is_of_now && message->purpose != PROBES_GOAL)
        return;
    if (worker->phase == WORKER_STOP)
        return; // nobody wants to know any more
    if (is_final(message) && message->purpose != PROBES_LAG) {
        worker_end(worker, &message->err);
        return;
    }
    switch (message->purpose) {
    case PROBES_ASSIGNMENT:
        take_assignment(worker, message);
        break;
    case PROBES_LATE:
        take_late(worker, message);
        break;
    case PROBES_LAG:
        take_lag(worker, message);
        break;
    default:
        take_goal(worker, message);
        break;
    }
}
