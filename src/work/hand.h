// SPDX-License-Identifier: Apache-2.0
// A hand of a worker: reads some of its partitions by a stream of its own, which is no
// member of a group, and makes units of them (SET workers). Membership, claim and commits
// stay the worker's: it orders what is to be read under which claim, and hands on the
// units in the order in which it gets them. Partitions of different hands are different
// ones, so that their units may be committed in any order; those of one hand stay in its.
//
// The newest order counts; one of another generation drops what was read. Answers go to
// the worker's mailbox: TELL_MADE, _RESTS, _READ, _CUT, _AWAY, _FAILED.
//
// Threads: hand_step is of the hand's own, the orders are of the worker's.
#ifndef WORK_HAND_H
#define WORK_HAND_H

#include "core/stream.h"
#include "work/mailbox.h"
#include "work/unit_builder.h"

enum {
    HANDS_MAX = 32
};

struct hand;

// All borrowed; they outlive the hand.
struct hand_parts {
    struct unit_builder_parts builder; // its stream is the hand's own
    int number, of;                    // from 1, of so many
    int room;                          // most units of it under way
    struct mail *mail;
    struct stream *lead; // the worker's stream, woken when there is mail
};

// Where a partition of a hand stands, as far as that was told.
struct hand_place {
    int32_t partition;
    int64_t next;
    struct stream_ahead ahead;
};

struct hand *hand_open(const struct hand_parts *parts);
// Does one bounded piece; waits only inside of its stream's poll, at most a second.
struct wait hand_step(struct hand *hand);
// Waits as a step asked for, or until there is an order.
void hand_wait(struct hand *hand, struct wait wait);
void hand_free(struct hand *hand);

// Orders. Read these from there; of a run --once until their ends (goal_end).
void hand_read(struct hand *hand, int64_t generation, const struct progress *positions,
               const int64_t *ends, size_t n, const char *writer);
void hand_goal(struct hand *hand, const int64_t *ends,
               size_t n);           // they have become known
void hand_close(struct hand *hand); // hand over what there is, then rest: TELL_RESTS
void hand_rest(struct hand *hand, int64_t generation); // drop it
void hand_end(struct hand *hand);
// One of its units was answered.
void hand_answered(struct hand *hand);
// Its TELL_AWAY was taken.
void hand_heard(struct hand *hand);

bool hand_is_ordered(const struct hand *hand);    // and has not seen it yet
int64_t hand_stepped_ms(const struct hand *hand); // its last sign of life; 0: none
// Where its partitions stand, of that generation: how many they are, rising.
size_t hand_look(struct hand *hand, int64_t generation, struct hand_place *ret, size_t n);

#endif
