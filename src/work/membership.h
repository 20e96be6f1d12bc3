// SPDX-License-Identifier: Apache-2.0
// Which partitions are ours, and from being given to being read: where does the log
// stand; does the topic still hold what the log has seen; claim; start. Values in, values
// out: it says what is to be done next, the worker does that and hands the answers in.
//
// Where a partition starts: at the log's `next`. With no log at all entry 0 fixes the
// start of every partition by the option `start`; one that the log does not know appeared
// later and starts at its beginning.
//
// What it wants to know of the topic is asked again where it had no answer. Partitions
// that still have none after a while are late: the others are claimed and read without
// them, and all begins again when one of them answers. Only an empty log waits for all,
// since entry 0 fixes the start of all.
#ifndef WORK_MEMBERSHIP_H
#define WORK_MEMBERSHIP_H

#include "log/job.h"
#include "work/message.h"

enum membership_phase {
    MEMBERSHIP_NONE,    // no partitions
    MEMBERSHIP_LET_GO,  // none any more, which the stream has not heard
    MEMBERSHIP_STOP,    // the stream may still be reading
    MEMBERSHIP_LOG,     // where does the log stand
    MEMBERSHIP_COUNT,   // an empty log: how many partitions are there
    MEMBERSHIP_ORIGINS, // and where does each begin
    MEMBERSHIP_CHECK,   // each partition of ours: does it hold what the log has read
    MEMBERSHIP_CLAIM,
    MEMBERSHIP_START, // the stream is to read from the positions
    MEMBERSHIP_READING,
};

enum membership_act {
    MEMBERSHIP_WAIT,        // an answer is awaited, or there is nothing to do
    MEMBERSHIP_STOP_STREAM, // tell the stream to stop
    MEMBERSHIP_ASK_LOG,     // the committer: ASK_STATE
    MEMBERSHIP_ASK_TOPIC,   // membership_probes()
    MEMBERSHIP_ASK_CLAIM,   // membership_claim()
    MEMBERSHIP_START_STREAM // membership_starts()
};

struct membership {
    const struct job_settings *settings; // borrowed
    enum membership_phase phase;
    bool is_asked;      // the answer to the phase's question has not come
    int64_t generation; // see message.h
    // Of our partitions, rising; writers are not kept.
    struct progress *positions;
    char topic_id[TOPIC_ID_TEXT]; // as the log tells it
    bool *is_checked;             // by place in positions
    size_t n, n_checked;
    int64_t check_until_ms; // monotonic; what has no answer by then is late
    int32_t *late;          // rising
    size_t n_late;
    char writer[UUID_TEXT];       // of our claim
    int64_t base;                 // the log's end as the committer told it
    struct stream_start *origins; // of all partitions, for an empty log; -1: not found
    size_t n_origins;
    int n_conflicts; // in a row
};

void membership_init(struct membership *membership, const struct job_settings *settings);
void membership_release(struct membership *membership);

// These partitions were just given; begin again with those that we have, also the late
// ones; none are ours any more.
void membership_given(struct membership *membership, const int32_t *partitions, size_t n);
void membership_again(struct membership *membership);
void membership_let_go(struct membership *membership);
// Answers of before are not looked at any more: the new generation.
int64_t membership_forget(struct membership *membership);
// The claim does not hold: the pause before the next, longer from one to the next.
int64_t membership_conflict(struct membership *membership);
void membership_committed(struct membership *membership); // it holds

enum membership_act membership_next(const struct membership *membership);
void membership_done(struct membership *membership); // that act, as far as it is ours
struct message *membership_probes(const struct membership *membership);
struct message *membership_claim(const struct membership *membership);
struct stream_start *membership_starts(const struct membership *membership,
                                       struct arena *arena);
// The committer's answers.
void membership_log(struct membership *membership, const struct message *message,
                    int64_t now_ms);
void membership_claimed(struct membership *membership, const struct message *message);
// The topic's. False: some are missing and are to be asked for again, after a pause.
bool membership_told(struct membership *membership, const struct message *message,
                     int64_t now_ms);
// late.c: whether those that have not answered the check are left out by now.
bool membership_goes_without(const struct membership *membership, int64_t now_ms);
// Whether the late ones answer now.
struct message *membership_ask_late(const struct membership *membership);

// A unit has been made up to there; the stream is to read on from there.
void membership_keep(struct membership *membership, const struct unit *unit);
void membership_start_again(struct membership *membership);

#endif
