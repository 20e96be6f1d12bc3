// SPDX-License-Identifier: Apache-2.0
// The coordinator's inside: coordinator.c (the loop and the answers) stands on
// coordinator_claim.c (from the log to a claim), coordinator_plan.c (from the topic to
// orders) and coordinator_commit.c (from a unit to an entry).
#ifndef WORK_COORDINATOR_INSIDE_H
#define WORK_COORDINATOR_INSIDE_H

#include "commit/committer.h"
#include "work/coordinator.h"
#include "work/order_book.h"

enum {
    GIVEN_MAX = 10 // times that an order is given out
};

// Of one partition.
struct coordinated {
    int32_t partition;
    int64_t planned;              // ordered up to here
    int64_t high;                 // its end, as it was seen last
    int64_t goal;                 // --once: its end when it was seen first
    bool is_away;                 // did not answer when the others were claimed
    int64_t unread_at, unread_ms; // the time of the record there, for the status server
    char writer[UUID_TEXT]; // whose claim it is: ours; who had it, where it was away
};

struct coordinator {
    struct coordinator_parts parts;
    struct committer *committer;
    struct coordinated *partitions; // by number
    size_t n_partitions;
    struct order_book book;
    int64_t n_triggers;     // told
    int64_t told_ms;        // when progress was told
    int64_t told_entry;     // and which entry was the last one
    bool has_claimed;       // once
    bool is_superseded;     // by another writer's
    size_t asked;           // partition whose end is asked for next
    size_t turn;            // of partitions to look at before a commit
    size_t first;           // partition that the next order begins with
    int64_t slots;          // as the parts have it, then as the driver says
    int64_t alive_for_ms;   // for how long a driver that said so is alive
    int64_t alive_ms;       // until when; 0: it did not say
    int64_t ordered_ms;     // when the last order was made
    int64_t looked_ms;      // when log and topic were looked at
    int64_t swept_ms;       // when leftovers were looked for
    int64_t claimed_ms;     // when the claim that holds was made
    int64_t bytes, offsets; // of what was committed lately
    bool has_new;           // the topic has more partitions than are claimed
    bool has_goal, has_end; // the end: of the topic, of the lines
    bool is_group_away;     // and that was said
    bool is_ending;         // to stop: what was answered is committed, nothing else
    enum board_phase shown; // on the board
    char tables[65];        // their version, if they changed; empty: not yet
    bool has_wrong_tables;  // and that is to end it
    struct err unheard;     // why nobody can be told any more; ST_OK: somebody can
};

static inline int64_t coordinator_ms(const struct coordinator *coordinator)
{
    struct env *env = coordinator->parts.env;
    return env->ops->monotonic_ms(env);
}

// Something failed for now: whether to make it again, after a pause. Else err is final.
bool coordinator_again(struct coordinator *coordinator, int64_t began_ms,
                       int64_t *pause_ms, enum status *rc, struct err *err);

// To the driver. Where it is gone this is no error yet: what it has answered before is
// committed all the same.
enum status coordinator_tell(struct coordinator *coordinator, struct str line,
                             struct err *err);
// To the consumer group, for those who look at lag there: best effort. Without a unit:
// lets what was told before come further.
void coordinator_tell_group(struct coordinator *coordinator, const struct unit *unit);

// coordinator_claim.c: reads the log, looks at the topic, claims. Forgets all orders.
enum status coordinator_claim(struct coordinator *coordinator, struct err *err);
// Whether the claim still holds, as far as the log was read; else a final error.
enum status coordinator_check_claim(struct coordinator *coordinator, struct err *err);

// coordinator_sweep.c: removes what tries have left that nobody waits for.
void coordinator_sweep(struct coordinator *coordinator);

// coordinator_show.c: for a status server.
void coordinator_show_phase(struct coordinator *coordinator, enum board_phase phase);
void coordinator_show_claim(struct coordinator *coordinator);
void coordinator_show_unit(struct coordinator *coordinator, const struct unit *unit);
void coordinator_show_end(struct coordinator *coordinator, struct coordinated *at);

// coordinator_plan.c: looks at log and topic, if it is time, and makes orders.
enum status coordinator_plan(struct coordinator *coordinator, struct err *err);
enum status coordinator_tell_progress(struct coordinator *coordinator, struct err *err);
bool coordinator_is_done(const struct coordinator *coordinator); // --once

// coordinator_commit.c: commits all units whose turn it is.
enum status coordinator_commit(struct coordinator *coordinator, struct err *err);

#endif
