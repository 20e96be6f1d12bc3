// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"
#include "work/progress.h"
#include "work/worker_inside.h"

// Of the goal, or whether what the log has is still there.
static void ask_goal(struct worker *worker)
{
    if (worker->is_asked[PROBES_GOAL] ||
        !pacer_is_due(&worker->reading.pacer, TIMER_GOAL, worker_clock_ms(worker)))
        return;
    worker_ask(worker, goal_is_known(&worker->goal)
                           ? goal_ask_again(&worker->goal, worker->membership.generation)
                           : goal_ask(&worker->goal, worker->membership.generation));
}

void worker_progressed(struct worker *worker)
{
    pacer_set(&worker->reading.pacer, TIMER_ONCE,
              worker_clock_ms(worker) + worker_settings(worker)->once_timeout_ms);
    goal_waits(&worker->goal, "");
}

enum status worker_check_patience(struct worker *worker, struct err *err)
{
    const struct job_settings *settings = worker_settings(worker);
    struct goal *goal = &worker->goal;
    if (!settings->once || settings->once_timeout_ms == 0 ||
        worker->phase == WORKER_STOP || worker->phase == WORKER_DONE)
        return ST_OK;
    bool is_committing = worker->n_units > 0 && !goal->waits_for_topic;
    bool moves = goal_moves(goal, atomic_load(&worker->parts.status->n_read));
    if (moves || is_committing) {
        worker_progressed(worker);
        return ST_OK;
    }
    if (!pacer_is_due(&worker->reading.pacer, TIMER_ONCE, worker_clock_ms(worker)))
        return ST_OK;
    AUTO(buf_release) struct buf what = {0};
    goal_explain(goal, &what);
    return err_set(err, ST_FAIL,
                   "run --once has waited for %lld s for '%.*s': %s%s%s; a longer "
                   "once.timeout waits longer",
                   (long long)(settings->once_timeout_ms / 1000),
                   STR_ARGS(worker->parts.topic->name), buf_cstr(&what),
                   goal->why[0] ? "; " : "", goal->why);
}

static void end_of_goal(struct worker *worker)
{
    worker->goal.is_checked |= goal_is_confirmed(&worker->goal);
    if (worker->goal.is_checked)
        worker_begin_stop(worker);
    else
        ask_goal(worker);
}

// --once: what others have written is looked at now and then.
void worker_look_at_log(struct worker *worker)
{
    if (!worker_settings(worker)->once || worker->phase == WORKER_STOP)
        return;
    if (!goal_is_known(&worker->goal)) {
        ask_goal(worker);
        return;
    }
    bool is_quiet = worker->phase == WORKER_IDLE ||
                    (worker->phase == WORKER_READ && !worker_has_work(worker));
    if (!is_quiet || worker->n_units || worker->question != QUESTION_NONE)
        return;
    if (worker->goal.is_reached)
        end_of_goal(worker);
    else if (pacer_is_due(&worker->reading.pacer, TIMER_TAIL, worker_clock_ms(worker))) {
        worker->question = QUESTION_LOG;
        pacer_set(&worker->reading.pacer, TIMER_TAIL, worker_clock_ms(worker) + TAIL_MS);
        worker_send(worker, message_new(ASK_STATE, worker->membership.generation));
    }
}

static void report(struct worker *worker, const struct message *message)
{
    struct stream *stream = worker->parts.stream;
    struct arena arena AUTO(arena_release) = {0};
    size_t n = 0;
    struct stream_start *next =
        arena_array(&arena, message->n_progress, sizeof(struct stream_start));
    const struct membership *ours = &worker->membership;
    for (size_t i = 0; i < message->n_progress; i++) {
        const struct progress *progress = &message->progress[i];
        if (progress_find(ours->positions, ours->n, progress->partition) != NULL)
            next[n++] = (struct stream_start){.partition = progress->partition,
                                              .offset = progress->next};
    }
    stream->ops->report(stream, next, n);
}

// The claim does not hold: read the log again and claim again, later and later when that
// happens again and again.
static void take_conflict(struct worker *worker)
{
    worker_drop_work(worker);
    if (worker->phase == WORKER_RETURN) {
        worker_let_go(worker);
        return;
    }
    if (worker->phase != WORKER_READ && worker->phase != WORKER_ASSIGN)
        return;
    int64_t pause_ms = membership_conflict(&worker->membership);
    if (worker->membership.n_conflicts == CONFLICTS_SAID)
        log_warn("another worker claims the same partitions again and again; with SET "
                 "membership = 'none' there may be only one");
    pacer_set(&worker->reading.pacer, TIMER_READ, worker_clock_ms(worker) + pause_ms);
    membership_again(&worker->membership);
    worker->phase = WORKER_ASSIGN;
}

static void take_state(struct worker *worker, const struct message *message)
{
    if (worker_settings(worker)->once) {
        goal_look(&worker->goal, message);
        goal_confirm(&worker->goal, message);
    }
    if (worker->question == QUESTION_MEMBERSHIP &&
        message->generation == worker->membership.generation)
        membership_log(&worker->membership, message, worker_clock_ms(worker));
}

static void take_committed(struct worker *worker, const struct message *message)
{
    membership_committed(&worker->membership);
    if (worker_settings(worker)->once)
        goal_look(&worker->goal, message);
    if (message->generation == worker->membership.generation)
        report(worker, message);
}

// A committer whose time was over before its work was done is not a failure of the job.
static void take_failure(struct worker *worker, const struct err *err)
{
    if (!worker_is_late(worker)) {
        worker_end(worker, err);
        return;
    }
    if (worker->n_units > 0)
        log_warn("%s; what was read last will be read again", err->text);
    worker_end(worker, &(struct err){0});
}

static void take_waiting(struct worker *worker, const struct message *message)
{
    worker->goal.waits_for_topic = true;
    goal_waits(&worker->goal, message->err.text);
}

static void take_dropped(struct worker *worker, const struct message *message)
{
    if (message->err.status == ST_OK)
        return;
    worker->is_left = true;
    worker->left_err = message->err;
}

static void take_answer(struct worker *worker, const struct message *message)
{
    bool is_of_now = message->generation == worker->membership.generation;
    switch (message->kind) {
    case TELL_STATE:
        take_state(worker, message);
        break;
    case TELL_CLAIMED:
        if (is_of_now && worker->phase == WORKER_ASSIGN)
            membership_claimed(&worker->membership, message);
        break;
    case TELL_COMMITTED:
        take_committed(worker, message);
        break;
    case TELL_CONFLICT:
        if (is_of_now)
            take_conflict(worker);
        break;
    case TELL_FAILED:
        take_failure(worker, &message->err);
        break;
    case TELL_TOPIC:
        worker_take_topic(worker, message);
        break;
    case TELL_WAITING:
        take_waiting(worker, message);
        break;
    case TELL_DROPPED:
        take_dropped(worker, message);
        break;
    default:
        break;
    }
}

void worker_read_mail(struct worker *worker)
{
    struct message *message;
    while (worker->phase != WORKER_DONE &&
           (message = mailbox_try_pop(&worker->parts.mail->to_worker)) != NULL) {
        if (message->n_progress > 0)
            lag_learn(&worker->lag, message->progress, message->n_progress);
        if (worker_hands_take(worker, message)) {
            message_free(message);
            continue;
        }
        take_answer(worker, message);
        if (message->is_of_unit) {
            worker->n_units--;
            worker->goal.waits_for_topic = false;
            worker_hands_answered(worker, message);
        } else if (message->kind != TELL_TOPIC && message->kind != TELL_WAITING) {
            worker->question = QUESTION_NONE;
        }
        message_free(message);
    }
}
