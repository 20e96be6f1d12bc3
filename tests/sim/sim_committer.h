// SPDX-License-Identifier: Apache-2.0
// A committer as an actor: runs between its waits, and between the calls of its storage
// where that gives up its turn.
#ifndef TESTS_SIM_COMMITTER_H
#define TESTS_SIM_COMMITTER_H

#include "sim/sim_fiber.h"
#include "work/commit_service.h"

struct sim_committer {
    struct waiter waiter;
    struct mail *mail;
    struct commit_service *committer;
    struct sim_fiber *fiber;
    struct wait wait; // what it waits for; WAIT_NOTHING: its turn
    bool is_cut;      // it waits for nothing any more
};

// The parts' waiter is set here.
void sim_committer_open(struct sim_committer *actor, struct commit_service_parts parts);
void sim_committer_step(struct sim_committer *actor); // one turn
// Before a call of its storage: gives up the turn.
void sim_committer_yield(struct sim_committer *actor);
// Ends it wherever it is: its storage answers no more calls, and it has no time.
void sim_committer_cut(struct sim_committer *actor);
void sim_committer_free(struct sim_committer *actor); // after its end

#endif
