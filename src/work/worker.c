// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/log.h"
#include "work/worker_inside.h"

static const struct wait at_once = {WAIT_NOTHING, 0};

struct worker *worker_open(const struct worker_parts *parts)
{
    struct worker *worker = mem_zalloc(sizeof(*worker));
    worker->parts = *parts;
    worker_hands_open(worker);
    worker->phase = WORKER_IDLE;
    reading_init(&worker->reading, &(struct unit_builder_parts){
                                       .job = parts->job,
                                       .topic = parts->topic,
                                       .stream = parts->stream,
                                       .decoder = parts->decoder,
                                       .executor = parts->executor,
                                       .writer = parts->writer,
                                       .spool = parts->spool,
                                       .env = parts->env,
                                       .status = parts->status,
                                       .shares = parts->shares,
                                   });
    pacer_set(&worker->reading.pacer, TIMER_IDLE,
              worker_clock_ms(worker) + IDLE_SILENT_MS);
    worker_progressed(worker);
    parts->topic->deadline = &worker->deadline;
    membership_init(&worker->membership, worker_settings(worker));
    lag_init(&worker->lag, &(struct lag_parts){
                               .stream = parts->stream,
                               .topic = parts->topic,
                               .env = parts->env,
                               .status = parts->status,
                               .pacer = &worker->reading.pacer,
                               .is_whole = worker_settings(worker)->watches_whole_job,
                               .ahead = parts->n_hands ? worker_hands_ahead : NULL,
                               .context = worker,
                           });
    board_joins(&parts->status->board, parts->executor->joins, parts->executor->n_joins,
                parts->n_hands ? parts->n_hands : 1);
    return worker;
}

void worker_free(struct worker *worker)
{
    if (worker == NULL)
        return;
    worker->parts.topic->deadline = NULL;
    membership_release(&worker->membership);
    reading_release(&worker->reading);
    worker_hands_release(worker);
    goal_release(&worker->goal);
    lag_release(&worker->lag);
    board_clear(&worker->parts.status->board); // the executor goes next
    free(worker);
}

void worker_stop(struct worker *worker, int64_t within_ms)
{
    struct mail *mail = worker->parts.mail;
    struct stream *stream = worker->parts.stream;
    int64_t at_ms = within_ms ? worker_clock_ms(worker) + within_ms : INT64_MAX;
    if (within_ms) {
        deadline_set(&mail->deadline, at_ms);
        atomic_store(&worker->stop_at_ms, at_ms);
    } else { // whoever asked before may have said how fast
        int64_t not_asked = 0;
        atomic_compare_exchange_strong(&worker->stop_at_ms, &not_asked, at_ms);
    }
    deadline_end(&worker->deadline); // until the worker sees that it is to stop
    stream->ops->wake(stream);
    mailbox_wake(&mail->to_worker);
    mail_wake(mail);
}

enum status worker_result(const struct worker *worker, struct err *ret)
{
    *ret = worker->result_err;
    return worker->result;
}

static struct wait nap(const struct worker *worker, int64_t ms)
{
    return (struct wait){WAIT_MAIL, pacer_nap_until(worker_clock_ms(worker), ms)};
}

// Units.

static bool all_is_committed(const struct worker *worker)
{
    return !worker_has_work(worker) && worker->n_units == 0;
}

// Hands over what there is, or waits for the answers.
static enum status step_last_commit(struct worker *worker, struct wait *wait,
                                    struct err *err)
{
    if (worker->hands.n > 0)
        worker_hands_close(worker);
    else if (worker_has_work(worker) && worker_has_room(worker))
        return worker_close_unit(worker, err);
    *wait = nap(worker, PACER_ANSWER_MS);
    return ST_OK;
}

static enum status step_return(struct worker *worker, struct wait *wait, struct err *err)
{
    bool is_late =
        pacer_is_due(&worker->reading.pacer, TIMER_RETURN, worker_clock_ms(worker));
    if (all_is_committed(worker) || is_late) {
        if (is_late)
            log_warn("the last commit before the partitions go away took too long; what "
                     "it does not bring is read again");
        worker_let_go(worker);
        return ST_OK;
    }
    TRY(step_last_commit(worker, wait, err));
    return worker_poll_held(worker, 0, err);
}

static enum status step_gather(struct worker *worker, struct wait *wait, struct err *err)
{
    if (!all_is_committed(worker)) {
        TRY(step_last_commit(worker, wait, err));
        return worker_poll_held(worker, 0, err);
    }
    worker_drop_work(worker);
    membership_again(&worker->membership);
    pacer_set(&worker->reading.pacer, TIMER_READ, 0);
    worker->phase = WORKER_ASSIGN;
    return ST_OK;
}

// The time is over, and the topic could not be looked at, or the storage not reached.
static void tell_left(const struct worker *worker)
{
    const char *why = worker->left_err.text;
    log_warn("%s%swhat was read last could not be committed before the end; it will be "
             "read again",
             why, why[0] ? "; " : "");
}

// What was handed over the committer answers in any case, since it has the same deadline.
static enum status step_stop(struct worker *worker, struct wait *wait, struct err *err)
{
    if (worker_has_work(worker) && worker_is_late(worker)) {
        unit_builder_drop(&worker->reading.builder);
        worker_hands_drop(worker);
        worker->is_left = true;
    }
    if (!all_is_committed(worker))
        return step_last_commit(worker, wait, err);
    if (worker->is_left)
        tell_left(worker);
    worker_end(worker, &(struct err){0});
    return ST_OK;
}

// Reading.

static bool all_is_read(struct worker *worker)
{
    return worker_settings(worker)->once &&
           goal_is_read(&worker->goal, &worker->reading.builder.draft->unit);
}

static bool unit_is_due(struct worker *worker, int64_t now_ms)
{
    return unit_builder_is_due(&worker->reading.builder, now_ms) ||
           (worker_has_work(worker) && all_is_read(worker));
}

// What a wait for the stream is to end for, beside reading.
static void pace(struct worker *worker, int64_t now_ms)
{
    bool is_watching = worker->n_units > 0 || worker_settings(worker)->once;
    reading_pace(&worker->reading);
    pacer_set(&worker->reading.pacer, TIMER_ANSWER,
              is_watching ? now_ms + PACER_ANSWER_MS : PACER_NEVER);
}

static bool is_to_start(const struct worker *worker)
{
    return membership_next(&worker->membership) == MEMBERSHIP_START_STREAM;
}

// With hands it is only told that the assignment is taken.
static enum status start_stream(struct worker *worker, struct err *err)
{
    struct stream *stream = worker->parts.stream;
    struct arena arena AUTO(arena_release) = {0};
    size_t n = worker->hands.n > 0 ? 0 : worker->membership.n;
    TRY(stream->ops->start(stream, membership_starts(&worker->membership, &arena), n,
                           err));
    membership_done(&worker->membership);
    return ST_OK;
}

// Reads on from the ends of the open unit.
static enum status restart(struct worker *worker, struct err *err)
{
    membership_keep(&worker->membership, &worker->reading.builder.draft->unit);
    TRY(start_stream(worker, err));
    held_clear(&worker->reading.held);
    return ST_OK;
}

static enum status next_unit(struct worker *worker, struct err *err)
{
    struct draft *next = draft_after(worker->reading.builder.draft);
    enum status rc = worker_close_unit(worker, err);
    if (rc == ST_OK)
        unit_builder_begin(&worker->reading.builder, next);
    else
        draft_free(next);
    return rc;
}

// Hands read.
static enum status step_lead(struct worker *worker, struct err *err)
{
    int64_t now_ms = worker_clock_ms(worker);
    if (worker_settings(worker)->once && worker_hands_have_read(worker) &&
        !worker->hands.is_closing) {
        TRY(unit_builder_check_end(&worker->reading.builder, err));
        worker_hands_close(worker);
    }
    pace(worker, now_ms);
    TRY(worker_poll_held(worker, pacer_next_ms(&worker->reading.pacer, now_ms), err));
    pacer_went_well(&worker->reading.pacer, TIMER_READ);
    reading_set_waiting(&worker->reading, false);
    return ST_OK;
}

static enum status step_read(struct worker *worker, struct wait *wait, struct err *err)
{
    int64_t now_ms = worker_clock_ms(worker);
    if (worker->hands.n > 0)
        return step_lead(worker, err);
    if (unit_is_due(worker, now_ms)) {
        if (all_is_read(worker))
            TRY(unit_builder_check_end(&worker->reading.builder, err));
        if (worker_has_room(worker))
            return next_unit(worker, err);
        *wait = nap(worker, PACER_ANSWER_MS);
        return worker_poll_held(worker, 0, err);
    }
    pace(worker, now_ms);
    if (!pacer_is_due(&worker->reading.pacer, TIMER_READ, now_ms))
        return worker_poll_held(worker, pacer_next_ms(&worker->reading.pacer, now_ms),
                                err);
    return is_to_start(worker) ? restart(worker, err) : worker_poll(worker, err);
}

// An answer is to come first.
static bool is_waiting(const struct worker *worker, enum membership_act next)
{
    switch (next) {
    case MEMBERSHIP_WAIT:
        return true;
    case MEMBERSHIP_ASK_LOG:
    case MEMBERSHIP_ASK_CLAIM:
        return worker->question != QUESTION_NONE;
    case MEMBERSHIP_ASK_TOPIC:
        return worker->is_asked[PROBES_ASSIGNMENT];
    default:
        return false;
    }
}

static void ask_committer(struct worker *worker, struct message *message)
{
    worker->question = QUESTION_MEMBERSHIP;
    worker_send(worker, message);
    membership_done(&worker->membership);
}

static enum status stop_stream(struct worker *worker, struct err *err)
{
    struct stream *stream = worker->parts.stream;
    TRY(stream->ops->stop(stream, err));
    membership_done(&worker->membership);
    return ST_OK;
}

static void begin_read(struct worker *worker)
{
    const struct membership *ours = &worker->membership;
    pacer_went_well(&worker->reading.pacer, TIMER_READ);
    reading_set_waiting(&worker->reading, false);
    worker_begin_late(worker);
    goal_begin_read(&worker->goal);
    if (worker->hands.n > 0)
        worker_hands_start(worker);
    else
        unit_builder_begin(&worker->reading.builder,
                           draft_new(ours->positions, ours->n, str_of(ours->writer),
                                     worker->parts.job->dimension));
    lag_reset(&worker->lag, ours->positions, ours->n);
    pacer_begin(&worker->reading.pacer);
    worker->phase = WORKER_READ;
}

static enum status act(struct worker *worker, enum membership_act next, struct err *err)
{
    struct membership *membership = &worker->membership;
    switch (next) {
    case MEMBERSHIP_STOP_STREAM:
        return stop_stream(worker, err);
    case MEMBERSHIP_ASK_LOG:
        ask_committer(worker, message_new(ASK_STATE, membership->generation));
        return ST_OK;
    case MEMBERSHIP_ASK_CLAIM:
        ask_committer(worker, membership_claim(membership));
        return ST_OK;
    case MEMBERSHIP_ASK_TOPIC:
        worker_ask(worker, membership_probes(membership));
        membership_done(membership);
        return ST_OK;
    case MEMBERSHIP_START_STREAM:
        TRY(start_stream(worker, err));
        begin_read(worker);
        return ST_OK;
    case MEMBERSHIP_WAIT:
        break;
    }
    return ST_OK;
}

static enum status step_assign(struct worker *worker, struct wait *wait, struct err *err)
{
    enum membership_act next = membership_next(&worker->membership);
    if (is_waiting(worker, next)) {
        *wait = nap(worker, PACER_ANSWER_MS);
        return worker_poll_held(worker, 0, err);
    }
    int64_t now_ms = worker_clock_ms(worker);
    pace(worker, now_ms);
    if (!pacer_is_due(&worker->reading.pacer, TIMER_READ, now_ms))
        return worker_poll_held(worker, pacer_next_ms(&worker->reading.pacer, now_ms),
                                err);
    return act(worker, next, err);
}

// What is waited for, when it takes longer than a group that is whole.
static void tell_idle(struct worker *worker)
{
    if (!pacer_is_due(&worker->reading.pacer, TIMER_IDLE, worker_clock_ms(worker)))
        return;
    pacer_set(&worker->reading.pacer, TIMER_IDLE, PACER_NEVER);
    log_info("no partitions yet: the consumer group shares them out; one that was killed "
             "is waited for until its session.timeout is over");
}

static enum status step_idle(struct worker *worker, struct err *err)
{
    tell_idle(worker);
    if (membership_next(&worker->membership) == MEMBERSHIP_STOP_STREAM)
        TRY(stop_stream(worker, err));
    TRY(worker_poll_held(worker, IDLE_POLL_MS, err));
    pacer_went_well(&worker->reading.pacer, TIMER_READ);
    reading_set_waiting(&worker->reading, false);
    return ST_OK;
}

// The whole.

static enum status step_phase(struct worker *worker, struct wait *wait, struct err *err)
{
    switch (worker->phase) {
    case WORKER_IDLE:
        return step_idle(worker, err);
    case WORKER_ASSIGN:
        return step_assign(worker, wait, err);
    case WORKER_READ:
        return step_read(worker, wait, err);
    case WORKER_GATHER:
        return step_gather(worker, wait, err);
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
    if (deadline_is_over(&worker->deadline, worker_clock_ms(worker)))
        return at_once; // they were not, but the worker is to stop
    lag_away(&worker->lag);
    int64_t until_ms = worker_pause(worker, TIMER_READ, err->text);
    bool reads_on = worker->phase == WORKER_READ && is_to_start(worker);
    if (reads_on || worker->phase == WORKER_ASSIGN) {
        pacer_set(&worker->reading.pacer, TIMER_READ, until_ms);
        return at_once; // and keeps polling for the membership until then
    }
    return nap(worker, until_ms - worker_clock_ms(worker));
}

static struct wait after_error(struct worker *worker, const struct err *err)
{
    if (err->status == ST_RETRY)
        return after_retry(worker, err);
    worker_end(worker, err);
    return at_once;
}

static enum board_phase shown_phase(const struct worker *worker)
{
    switch (worker->phase) {
    case WORKER_IDLE:
    case WORKER_RETURN:
        return BOARD_IDLE;
    case WORKER_ASSIGN:
        return BOARD_ASSIGNING;
    case WORKER_READ:
    case WORKER_GATHER:
        return BOARD_READING;
    case WORKER_STOP:
        return BOARD_STOPPING;
    case WORKER_DONE:
        break;
    }
    return BOARD_STOPPED;
}

// For the board, whose lock is taken for news only.
static void show(struct worker *worker)
{
    struct board *board = &worker->parts.status->board;
    struct env *env = worker->parts.env;
    enum board_phase phase = shown_phase(worker);
    board_step(board, worker->phase == WORKER_DONE ? 0 : worker_hands_stepped_ms(worker));
    if (phase != worker->shown_phase)
        board_phase(board, phase, env->ops->wall_ms(env));
    worker->shown_phase = phase;
}

struct wait worker_step(struct worker *worker)
{
    struct err err;
    struct wait wait = at_once;
    if (atomic_load(&worker->stop_at_ms) != 0 && worker->phase != WORKER_DONE)
        worker_begin_stop(worker); // at each step: there may be less time by now
    worker_read_mail(worker);
    show(worker);
    if (worker->phase == WORKER_DONE)
        return (struct wait){WAIT_DONE, 0};
    worker_hands_step(worker);
    worker_look_at_log(worker);
    worker_ask_topic(worker);
    enum status rc = worker_check_patience(worker, &err);
    if (rc == ST_OK)
        rc = step_phase(worker, &wait, &err);
    err.status = rc;
    return rc == ST_OK ? wait : after_error(worker, &err);
}
