// SPDX-License-Identifier: Apache-2.0
#include "engine/worker.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/log.h"
#include "engine/assignment.h"
#include "engine/goal.h"
#include "engine/intake.h"
#include "engine/lag.h"
#include "engine/message.h"
#include "engine/retry.h"

enum worker_phase {
    WORKER_GOAL,   // --once: where does the topic end
    WORKER_IDLE,   // no partitions
    WORKER_ASSIGN, // the assignment is on its way to reading
    WORKER_READ,
    WORKER_RETURN, // partitions go away: the last commit
    WORKER_STOP,   // the same for good
    WORKER_DONE,
};

enum {
    ANSWER_MS = 50,    // how often membership is looked after while an answer is awaited
    PAUSE_MS = 1000,   // longest nap: a stop is noticed after it
    TAIL_MS = 500,     // --once: how often the log is read while others work
    CONFLICTS_SAID = 5 // in a row, before somebody should look
};

// Asked of the committer and not answered; one at a time.
enum question {
    QUESTION_NONE,
    QUESTION_LOG, // --once: where it stands
    QUESTION_ASSIGNMENT
};

struct worker {
    struct worker_parts parts;
    enum worker_phase phase;
    atomic_bool is_stopped;
    int64_t generation;
    int n_units; // handed over, not answered
    enum question question;
    struct assignment assignment;
    struct intake intake;
    struct goal goal;
    struct lag lag;
    int64_t batch_began_ms; // of the micro-batches read last
    int64_t next_batch_ms;  // until then nothing is read
    int64_t next_tail_ms;
    int64_t deadline_ms; // of RETURN and STOP
    bool restart_is_due; // the source reads on from the unit's ends at next_batch_ms
    int n_conflicts;     // in a row
    struct retry retry;
    bool is_waiting;
    enum status result;
    struct err result_err;
};

static const struct wait at_once = {WAIT_NOTHING, 0};

struct worker *worker_open(const struct worker_parts *parts)
{
    struct worker *worker = mem_zalloc(sizeof(*worker));
    worker->parts = *parts;
    worker->phase = parts->job->settings.once ? WORKER_GOAL : WORKER_IDLE;
    atomic_init(&worker->is_stopped, false);
    assignment_init(&worker->assignment, &worker->parts);
    intake_init(&worker->intake, &worker->parts);
    return worker;
}

void worker_free(struct worker *worker)
{
    if (worker == NULL)
        return;
    assignment_release(&worker->assignment);
    intake_release(&worker->intake);
    goal_release(&worker->goal);
    lag_release(&worker->lag);
    free(worker);
}

void worker_stop(struct worker *worker)
{
    atomic_store(&worker->is_stopped, true);
}

enum status worker_result(const struct worker *worker, struct err *ret)
{
    *ret = worker->result_err;
    return worker->result;
}

static int64_t clock_ms(const struct worker *worker)
{
    return worker->parts.env->ops->monotonic_ms(worker->parts.env);
}

static const struct job_settings *settings_of(const struct worker *worker)
{
    return &worker->parts.job->settings;
}

static struct wait nap(const struct worker *worker, int64_t ms)
{
    return (struct wait){WAIT_MAIL, clock_ms(worker) + (ms < PAUSE_MS ? ms : PAUSE_MS)};
}

static void send(struct worker *worker, struct message *message)
{
    bool sent = mailbox_try_push(&worker->parts.mail->to_committer, message);
    assert(sent); // a mailbox holds all that can be under way
}

static void set_waiting(struct worker *worker, bool is_waiting)
{
    if (is_waiting != worker->is_waiting)
        atomic_fetch_add(&worker->parts.status->n_waiting, is_waiting ? 1 : -1);
    worker->is_waiting = is_waiting;
}

// Beginnings and ends.

// What is read and not handed over is dropped; answers of before are not looked at.
static void drop_work(struct worker *worker)
{
    intake_drop(&worker->intake);
    lag_reset(&worker->lag, 0, worker->parts.status);
    worker->restart_is_due = false;
    worker->generation++;
}

static void stop_source(struct worker *worker)
{
    struct source *source = worker->parts.source;
    struct err err;
    if (source->ops->stop(source, &err) != ST_OK)
        log_debug("%s", err.text); // it reads nothing that would be used
}

static void let_go(struct worker *worker)
{
    drop_work(worker);
    assignment_end(&worker->assignment);
    stop_source(worker);
    worker->phase = WORKER_IDLE;
}

static void end(struct worker *worker)
{
    drop_work(worker);
    stop_source(worker);
    worker->phase = WORKER_DONE;
}

static void end_asking(struct worker *worker)
{
    end(worker);
    send(worker, message_new(ASK_END, worker->generation));
}

static void end_with(struct worker *worker, const struct err *err)
{
    worker->result = err->status;
    worker->result_err = *err;
}

static void begin_stop(struct worker *worker)
{
    if (worker->phase != WORKER_RETURN)
        worker->deadline_ms = clock_ms(worker) + settings_of(worker)->revoke_ms;
    worker->phase = WORKER_STOP;
}

static void begin_assign(struct worker *worker, const struct source_event *event)
{
    drop_work(worker);
    assignment_begin(&worker->assignment, event->partitions, event->n_partitions);
    worker->phase = WORKER_ASSIGN;
}

static void begin_return(struct worker *worker)
{
    if (worker->phase != WORKER_READ) {
        let_go(worker);
        return;
    }
    worker->deadline_ms = clock_ms(worker) + settings_of(worker)->revoke_ms;
    worker->phase = WORKER_RETURN;
}

// Reads on from the ends of the open unit, now or after a pause.
static enum status restart(struct worker *worker, struct err *err)
{
    const struct unit *unit = worker->intake.unit;
    for (size_t i = 0; i < unit->n_spans; i++)
        worker->assignment.positions[i].next = unit->spans[i].next;
    TRY(assignment_start(&worker->assignment, err));
    worker->restart_is_due = false;
    return ST_OK;
}

static enum status take_gap(struct worker *worker, const struct source_gap *gap,
                            struct err *err)
{
    if (worker->phase != WORKER_READ)
        return ST_OK;
    TRY(intake_gap(&worker->intake, gap, err));
    log_warn("topic '%.*s' partition %" PRId32 ": offsets %" PRId64 " to %" PRId64
             " had left the topic before they were read",
             STR_ARGS(worker->parts.source->topic), gap->partition, gap->wanted,
             gap->low - 1);
    worker->restart_is_due = true;
    worker->next_batch_ms = clock_ms(worker);
    return ST_OK;
}

static enum status take_run(struct worker *worker, const struct run *run, struct err *err)
{
    enum status rc = intake_run(&worker->intake, run, err);
    if (rc == ST_RETRY) { // the rest of the run is read again after the pause
        worker->restart_is_due = true;
        return rc;
    }
    TRY(rc);
    set_waiting(worker, false);
    retry_reset(&worker->retry);
    return ST_OK;
}

static enum status take_event(struct worker *worker, const struct source_event *event,
                              struct err *err)
{
    switch (event->kind) {
    case SOURCE_IDLE:
        return ST_OK;
    case SOURCE_RUN:
        assert(worker->phase == WORKER_READ);
        return take_run(worker, &event->run, err);
    case SOURCE_ASSIGN:
        begin_assign(worker, event);
        return ST_OK;
    case SOURCE_REVOKE:
        begin_return(worker);
        return ST_OK;
    case SOURCE_LOST:
        let_go(worker);
        return ST_OK;
    case SOURCE_GAP:
        return take_gap(worker, &event->gap, err);
    }
    return ST_OK;
}

// Looks after the membership only.
static enum status poll_held(struct worker *worker, int64_t timeout_ms, struct err *err)
{
    struct source *source = worker->parts.source;
    struct source_event event;
    source->ops->hold(source, true);
    TRY(source->ops->poll(source, (int)timeout_ms, &event, err));
    return take_event(worker, &event, err);
}

// Units.

static void keep_positions(struct worker *worker, const struct unit *unit)
{
    for (size_t i = 0; i < unit->n_spans; i++) {
        worker->assignment.positions[i].next = unit->spans[i].next;
        worker->assignment.positions[i].last = unit->spans[i].last;
    }
}

static void open_unit(struct worker *worker)
{
    intake_begin(&worker->intake, worker->assignment.positions, worker->assignment.n);
}

static enum status hand_over(struct worker *worker, struct err *err)
{
    struct unit *unit;
    TRY(intake_finish(&worker->intake, &unit, err));
    keep_positions(worker, unit);
    struct message *message = message_new(ASK_UNIT, worker->generation);
    message->unit = unit;
    send(worker, message);
    worker->n_units++;
    return ST_OK;
}

static bool has_work(const struct worker *worker)
{
    return worker->intake.unit != NULL && !unit_is_empty(worker->intake.unit);
}

// Hands over what there is, then waits for the answers, until the deadline.
static enum status step_last_commit(struct worker *worker, bool *ret_done,
                                    struct wait *wait, struct err *err)
{
    bool is_late = clock_ms(worker) >= worker->deadline_ms;
    *ret_done = is_late || (!has_work(worker) && worker->n_units == 0);
    if (*ret_done && is_late)
        log_warn("the last commit took too long; its records will be read again");
    if (*ret_done)
        return ST_OK;
    if (has_work(worker) && worker->n_units < MAIL_UNITS_MAX)
        return hand_over(worker, err);
    *wait = nap(worker, ANSWER_MS);
    return ST_OK;
}

static enum status step_return(struct worker *worker, struct wait *wait, struct err *err)
{
    bool done;
    TRY(step_last_commit(worker, &done, wait, err));
    if (!done)
        return poll_held(worker, 0, err);
    let_go(worker);
    return ST_OK;
}

static enum status step_stop(struct worker *worker, struct wait *wait, struct err *err)
{
    bool done;
    TRY(step_last_commit(worker, &done, wait, err));
    if (!done)
        return ST_OK;
    atomic_store(&worker->parts.mail->hurry, worker->n_units > 0);
    end_asking(worker);
    return ST_OK;
}

// Reading.

static bool all_is_read(const struct worker *worker)
{
    const struct unit *unit = worker->intake.unit;
    if (!settings_of(worker)->once)
        return false;
    for (size_t i = 0; i < unit->n_spans; i++)
        if (!goal_is_behind(&worker->goal, unit->spans[i].partition, unit->spans[i].next))
            return false;
    return true;
}

static bool unit_is_due(const struct worker *worker, int64_t now_ms)
{
    return intake_is_due(&worker->intake, now_ms) ||
           (has_work(worker) && all_is_read(worker));
}

// Until the next micro-batch, or until the unit is due.
static int64_t until_next(const struct worker *worker, int64_t now_ms)
{
    int64_t ms = worker->next_batch_ms - now_ms;
    int64_t due_ms =
        worker->intake.opened_ms + settings_of(worker)->commit_interval_ms - now_ms;
    if (has_work(worker) && due_ms < ms)
        ms = due_ms;
    return ms < PAUSE_MS ? ms : PAUSE_MS;
}

// Takes all that is there; then nothing is read until batch.interval after it began, so
// that what arrives meanwhile comes as one micro-batch.
static enum status read_batch(struct worker *worker, int64_t now_ms, struct err *err)
{
    struct source *source = worker->parts.source;
    struct source_event event;
    if (worker->next_batch_ms > worker->batch_began_ms) {
        worker->batch_began_ms = now_ms;
        worker->next_batch_ms = 0;
    }
    source->ops->hold(source, false);
    TRY(source->ops->poll(source, 0, &event, err));
    if (event.kind == SOURCE_IDLE) {
        retry_reset(&worker->retry);
        set_waiting(worker, false);
        worker->next_batch_ms =
            worker->batch_began_ms + settings_of(worker)->batch_interval_ms;
    }
    return take_event(worker, &event, err);
}

static enum status step_read(struct worker *worker, struct wait *wait, struct err *err)
{
    int64_t now_ms = clock_ms(worker);
    if (unit_is_due(worker, now_ms)) {
        if (worker->n_units < MAIL_UNITS_MAX) {
            TRY(hand_over(worker, err));
            open_unit(worker);
            return ST_OK;
        }
        *wait = nap(worker, ANSWER_MS);
        return poll_held(worker, 0, err);
    }
    lag_step(&worker->lag, worker->parts.source, worker->parts.env, worker->intake.unit,
             worker->parts.status);
    if (now_ms < worker->next_batch_ms)
        return poll_held(worker, until_next(worker, now_ms), err);
    if (worker->restart_is_due)
        return restart(worker, err);
    return read_batch(worker, now_ms, err);
}

static enum status step_assign(struct worker *worker, struct wait *wait, struct err *err)
{
    bool is_waiting = assignment_is_waiting(&worker->assignment);
    bool has_question = assignment_has_question(&worker->assignment);
    if (is_waiting || (has_question && worker->question != QUESTION_NONE)) {
        *wait = nap(worker, ANSWER_MS);
        return poll_held(worker, 0, err);
    }
    if (clock_ms(worker) < worker->next_batch_ms)
        return poll_held(worker, until_next(worker, clock_ms(worker)), err);
    TRY(assignment_step(&worker->assignment, worker->generation, err));
    if (has_question)
        worker->question = QUESTION_ASSIGNMENT;
    retry_reset(&worker->retry);
    set_waiting(worker, false);
    if (worker->assignment.phase != ASSIGNMENT_READING)
        return ST_OK;
    open_unit(worker);
    lag_reset(&worker->lag, worker->assignment.n, worker->parts.status);
    worker->batch_began_ms = clock_ms(worker);
    worker->next_batch_ms = 0;
    worker->phase = WORKER_READ;
    return ST_OK;
}

static enum status step_goal(struct worker *worker, struct err *err)
{
    bool done;
    TRY(goal_step(&worker->goal, worker->parts.source, &done, err));
    retry_reset(&worker->retry);
    if (done)
        worker->phase = WORKER_IDLE;
    return ST_OK;
}

static enum status step_idle(struct worker *worker, struct err *err)
{
    TRY(poll_held(worker, PAUSE_MS / 2, err));
    retry_reset(&worker->retry);
    set_waiting(worker, false);
    return ST_OK;
}

// --once: what others have written is looked at now and then.
static void look_at_log(struct worker *worker)
{
    bool is_quiet = worker->phase == WORKER_IDLE ||
                    (worker->phase == WORKER_READ && !has_work(worker));
    if (!settings_of(worker)->once || !is_quiet || worker->n_units ||
        worker->question != QUESTION_NONE)
        return;
    if (worker->goal.is_reached) {
        begin_stop(worker);
    } else if (clock_ms(worker) >= worker->next_tail_ms) {
        worker->question = QUESTION_LOG;
        worker->next_tail_ms = clock_ms(worker) + TAIL_MS;
        send(worker, message_new(ASK_STATE, worker->generation));
    }
}

// Answers.

static void report(struct worker *worker, const struct message *message)
{
    struct source *source = worker->parts.source;
    struct arena arena AUTO(arena_release) = {0};
    size_t n = 0;
    struct source_start *next =
        arena_array(&arena, message->n_progress, sizeof(struct source_start));
    for (size_t i = 0; i < message->n_progress; i++)
        for (size_t k = 0; k < worker->assignment.n; k++)
            if (worker->assignment.positions[k].partition ==
                message->progress[i].partition)
                next[n++] = (struct source_start){message->progress[i].partition,
                                                  message->progress[i].next};
    source->ops->report(source, next, n);
}

// The claim does not hold: read the log again and claim anew, later and later when that
// happens again and again.
static void take_conflict(struct worker *worker)
{
    drop_work(worker);
    if (worker->phase == WORKER_RETURN) {
        let_go(worker);
        return;
    }
    if (worker->phase != WORKER_READ && worker->phase != WORKER_ASSIGN)
        return;
    if (++worker->n_conflicts == CONFLICTS_SAID)
        log_warn("another worker claims the same partitions again and again; with SET "
                 "membership = 'none' there may be only one");
    int64_t pause_ms = 100 << (worker->n_conflicts < 8 ? worker->n_conflicts : 8);
    worker->next_batch_ms = clock_ms(worker) + pause_ms;
    stop_source(worker);
    assignment_again(&worker->assignment);
    worker->phase = WORKER_ASSIGN;
}

static void take_state(struct worker *worker, const struct message *message)
{
    if (settings_of(worker)->once)
        goal_look(&worker->goal, message->progress, message->n_progress);
    if (worker->question == QUESTION_ASSIGNMENT &&
        message->generation == worker->generation)
        assignment_state(&worker->assignment, message);
}

static void take_committed(struct worker *worker, const struct message *message)
{
    worker->n_conflicts = 0;
    if (settings_of(worker)->once)
        goal_look(&worker->goal, message->progress, message->n_progress);
    if (message->generation == worker->generation)
        report(worker, message);
}

static void take_answer(struct worker *worker, const struct message *message)
{
    bool is_of_now = message->generation == worker->generation;
    switch (message->kind) {
    case TELL_STATE:
        take_state(worker, message);
        break;
    case TELL_CLAIMED:
        if (is_of_now && worker->phase == WORKER_ASSIGN)
            assignment_claimed(&worker->assignment);
        break;
    case TELL_COMMITTED:
        take_committed(worker, message);
        break;
    case TELL_CONFLICT:
        if (is_of_now)
            take_conflict(worker);
        break;
    case TELL_FAILED:
        end_with(worker, &message->err);
        end(worker);
        break;
    default:
        break;
    }
}

static void read_mail(struct worker *worker)
{
    struct message *message;
    while (worker->phase != WORKER_DONE &&
           (message = mailbox_try_pop(&worker->parts.mail->to_worker)) != NULL) {
        take_answer(worker, message);
        if (message->is_of_unit)
            worker->n_units--;
        else
            worker->question = QUESTION_NONE;
        message_free(message);
    }
}

// The whole.

static enum status step_phase(struct worker *worker, struct wait *wait, struct err *err)
{
    switch (worker->phase) {
    case WORKER_GOAL:
        return step_goal(worker, err);
    case WORKER_IDLE:
        return step_idle(worker, err);
    case WORKER_ASSIGN:
        return step_assign(worker, wait, err);
    case WORKER_READ:
        return step_read(worker, wait, err);
    case WORKER_RETURN:
        return step_return(worker, wait, err);
    case WORKER_STOP:
        return step_stop(worker, wait, err);
    case WORKER_DONE:
        break;
    }
    return ST_OK;
}

// Brokers or registry are away: wait for them, as long as it takes, as a member.
static struct wait after_retry(struct worker *worker, const struct err *err)
{
    int64_t until_ms;
    bool goes_on = retry_again(&worker->retry, clock_ms(worker), INT64_MAX, &until_ms);
    assert(goes_on);
    if (worker->retry.delay_ms == 100)
        log_warn("%s; waiting", err->text);
    set_waiting(worker, true);
    if (worker->restart_is_due || worker->phase == WORKER_ASSIGN) {
        worker->next_batch_ms = until_ms;
        return at_once; // and keeps polling for the membership until then
    }
    return nap(worker, until_ms - clock_ms(worker));
}

static struct wait after_error(struct worker *worker, const struct err *err)
{
    if (err->status == ST_RETRY)
        return after_retry(worker, err);
    if (err->status == ST_STOP) {
        worker_stop(worker);
        return at_once;
    }
    end_with(worker, err);
    end_asking(worker);
    return at_once;
}

struct wait worker_step(struct worker *worker)
{
    struct err err;
    struct wait wait = at_once;
    read_mail(worker);
    if (worker->phase == WORKER_DONE)
        return (struct wait){WAIT_DONE, 0};
    if (atomic_load(&worker->is_stopped) && worker->phase != WORKER_STOP)
        begin_stop(worker);
    look_at_log(worker);
    enum status rc = step_phase(worker, &wait, &err);
    err.status = rc;
    return rc == ST_OK ? wait : after_error(worker, &err);
}
