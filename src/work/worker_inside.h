// SPDX-License-Identifier: Apache-2.0
// The worker's inside, shared by its files. It is a loop over what it owns: membership
// (which partitions, and what is next until they are read) and reading (when; runs in,
// files out); the rest tells and is told. Its files: worker.c (phases) stands
// on worker_events.c (what the stream tells), worker_answers.c (what the committer tells)
// and worker_topic.c (what the topic answers), and all four on worker_acts.c.
#ifndef WORK_WORKER_INSIDE_H
#define WORK_WORKER_INSIDE_H

#include "work/goal.h"
#include "work/hand.h"
#include "work/lag.h"
#include "work/membership.h"
#include "work/reading.h"
#include "work/worker.h"

enum worker_phase {
    WORKER_IDLE,   // no partitions
    WORKER_ASSIGN, // the assignment is on its way to reading
    WORKER_READ,
    WORKER_GATHER, // late partitions answer: a commit, then all of them again
    WORKER_RETURN, // partitions go away: the last commit
    WORKER_STOP,   // the same for good
    WORKER_DONE,
};

enum {
    IDLE_SILENT_MS = 3000, // without partitions, before it is told
    FAILED_MS = 7000,      // after a failure, for what is on its way to the log
    IDLE_POLL_MS = 500,    // without partitions, a wait for some
    TAIL_MS = 500,         // --once: how often the log is read while others work
    CONFLICTS_SAID = 5     // in a row, before somebody should look
};

// Asked of the committer and not answered; one at a time.
enum worker_question {
    QUESTION_NONE,
    QUESTION_LOG, // where it stands
    QUESTION_MEMBERSHIP
};

// Of a worker that reads by others (worker_hands.c).
struct hands {
    struct hand **items; // borrowed
    size_t n;            // 0: the worker reads by itself
    bool is_resting[HANDS_MAX];
    bool is_read[HANDS_MAX];    // --once: all that is its
    bool is_closing;            // told so
    bool is_off;                // what they still hand over is dropped
    bool has_goal;              // they were told
    struct draft *whole;        // of all partitions: where reading stands; NULL: nowhere
    struct stream_ahead *ahead; // by place in it
    int64_t n_read;             // as of the last look
};

struct worker {
    struct worker_parts parts;
    enum worker_phase phase;
    enum board_phase shown_phase; // on the board
    _Atomic int64_t stop_at_ms; // asked to stop: when it has to be over, INT64_MAX for no
                                // such time; 0: not asked
    struct deadline deadline;   // of the questions to the topic
    int n_units;                // handed over, not answered
    enum worker_question question;
    bool is_asked[PROBES_N]; // of the topic
    struct membership membership;
    struct reading reading; // with hands its stream is held, and its builder empty
    struct hands hands;
    struct goal goal;
    bool is_left;        // STOP: what was read last is not committed
    struct err left_err; // why, as far as that is known
    struct lag lag;
    enum status result;
    struct err result_err;
};

static inline int64_t worker_clock_ms(const struct worker *worker)
{
    return worker->parts.env->ops->monotonic_ms(worker->parts.env);
}

static inline const struct job_settings *worker_settings(const struct worker *worker)
{
    return &worker->parts.job->settings;
}

// It was to have ended by now.
static inline bool worker_is_late(const struct worker *worker)
{
    int64_t at_ms = atomic_load(&worker->stop_at_ms);
    return at_ms != 0 && worker_clock_ms(worker) >= at_ms;
}

// worker_hands.c
bool worker_hands_rest(const struct worker *worker); // all of them

// In the open unit, or in one of a hand.
static inline bool worker_has_work(const struct worker *worker)
{
    const struct draft *draft = worker->reading.builder.draft;
    return (draft != NULL && !draft_is_empty(draft)) || !worker_hands_rest(worker);
}

// Another unit may be finished.
static inline bool worker_has_room(const struct worker *worker)
{
    return worker->n_units <= worker->parts.mail->ahead;
}

// worker_acts.c
void worker_send(struct worker *worker, struct message *message);
// Unless questions for the same are under way.
void worker_ask(struct worker *worker, struct message *message);
void worker_begin_stop(struct worker *worker);
// Drops what is read and not handed over; answers of before are not looked at.
void worker_drop_work(struct worker *worker);
void worker_let_go(struct worker *worker); // and has no partitions any more
void worker_end(struct worker *worker, const struct err *err); // it is over, for all
// When to try again; says once why not yet.
int64_t worker_pause(struct worker *worker, enum timer timer, const char *why);

// worker_events.c: polls, for membership only while held, and takes what comes.
enum status worker_poll_held(struct worker *worker, int64_t timeout_ms, struct err *err);
enum status worker_poll(struct worker *worker, struct err *err);

// worker_topic.c: asks what is due, and takes what the topic answers.
void worker_ask_topic(struct worker *worker);
// Finishes the open unit and hands it to the committer. None is open after it.
enum status worker_close_unit(struct worker *worker, struct err *err);
void worker_begin_late(struct worker *worker); // reading begins without the late ones
void worker_take_topic(struct worker *worker, const struct message *message);

// worker_hands.c
void worker_hands_open(struct worker *worker);
void worker_hands_start(struct worker *worker); // the partitions, from their positions
void worker_hands_close(struct worker *worker); // they hand over, and rest
void worker_hands_drop(struct worker *worker);  // they rest
void worker_hands_end(struct worker *worker);
bool worker_hands_have_read(const struct worker *worker); // all that the goal wants
// False: the message is none of a hand.
bool worker_hands_take(struct worker *worker, struct message *message);
void worker_hands_answered(struct worker *worker, const struct message *message);
// Looks where they stand and tells them what is new.
void worker_hands_step(struct worker *worker);
void worker_hands_ahead(void *context, int32_t partition, struct stream_ahead *ret);
int64_t worker_hands_stepped_ms(const struct worker *worker); // of the most silent one
void worker_hands_release(struct worker *worker);

// worker_answers.c
void worker_read_mail(struct worker *worker);
// --once: it does not wait any more from here on, but anew.
void worker_progressed(struct worker *worker);
// Fails where nothing has come for too long.
enum status worker_check_patience(struct worker *worker, struct err *err);
// --once: where do others stand; the end when all is read.
void worker_look_at_log(struct worker *worker);

#endif
