// SPDX-License-Identifier: Apache-2.0
// From partitions given by the group to reading them: where does the log stand; does the
// topic still hold what the log has seen; claim; start.
//
// Where a partition starts: at the log's `next`. With no log at all entry 0 fixes the
// start of every partition by the option `start`; one that the log does not know appeared
// later and starts at its beginning.
//
// What it wants to know of the topic it has the asker ask, and asks again what had no
// answer. Partitions that still have none after a while are late: the others are claimed
// and read without them, and the worker begins again when one of them answers. Only an
// empty log waits for all, since entry 0 fixes the start of all.
#ifndef WORK_ASSIGNMENT_H
#define WORK_ASSIGNMENT_H

#include "work/message.h"
#include "work/worker.h"

enum assignment_phase {
    ASSIGNMENT_NONE,
    ASSIGNMENT_STOP,    // the stream may still be reading
    ASSIGNMENT_ASK,     // the committer where the log stands
    ASSIGNMENT_ASKED,   // waits for assignment_state()
    ASSIGNMENT_COUNT,   // an empty log: how many partitions are there
    ASSIGNMENT_ORIGINS, // and where does each begin
    ASSIGNMENT_CHECK,   // each partition of ours: does it hold what the log has read
    ASSIGNMENT_CLAIM,
    ASSIGNMENT_CLAIMED, // waits for assignment_claimed()
    ASSIGNMENT_START,
    ASSIGNMENT_READING,
};

struct assignment {
    const struct worker_parts *parts; // borrowed
    enum assignment_phase phase;
    bool is_asking; // COUNT, ORIGINS, CHECK: waits for assignment_told()
    // Of our partitions, rising; writers are not kept.
    struct progress *positions;
    bool *is_checked; // by place in positions
    size_t n, n_checked;
    int64_t check_until_ms; // monotonic, who has no answer by then is late
    int32_t *late;          // rising
    size_t n_late;
    char writer[UUID_TEXT];       // of our claim
    int64_t base;                 // log's end as the committer told it
    struct stream_start *origins; // of all partitions, for an empty log; -1: not found
    size_t n_origins;
};

void assignment_init(struct assignment *assignment, const struct worker_parts *parts);
// Begins with partitions that were just given, or again with those that it has.
void assignment_begin(struct assignment *assignment, const int32_t *partitions, size_t n);
void assignment_again(struct assignment *assignment); // also with the late ones
void assignment_end(struct assignment *assignment);   // no partitions
// Its next step asks something, of the committer or the topic.
bool assignment_has_question(const struct assignment *assignment);
bool assignment_has_probes(const struct assignment *assignment);
bool assignment_is_waiting(const struct assignment *assignment); // for their answer
enum status assignment_step(struct assignment *assignment, int64_t generation,
                            struct err *err);
// The committer's answers.
void assignment_state(struct assignment *assignment, const struct message *message);
void assignment_claimed(struct assignment *assignment, const struct message *message);
// The topic's. False: some are missing and are to be asked for again, after a pause.
bool assignment_told(struct assignment *assignment, const struct message *message);
// late.c: whether those that have not answered the check are left out by now.
bool assignment_goes_without(const struct assignment *assignment, int64_t now_ms);
// Whether the late ones answer now.
struct message *assignment_ask_late(const struct assignment *assignment,
                                    int64_t generation);
// Has the stream read on from the positions.
enum status assignment_start(struct assignment *assignment, struct err *err);
void assignment_release(struct assignment *assignment);

#endif
