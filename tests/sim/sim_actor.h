// SPDX-License-Identifier: Apache-2.0
// Uploader and committer as actors: each runs between its waits, and between the calls of
// its storage where that gives up its turn.
#ifndef TESTS_SIM_ACTOR_H
#define TESTS_SIM_ACTOR_H

#include "sim/sim_fiber.h"
#include "work/commit_service.h"
#include "work/uploader.h"

struct sim_actor {
    struct waiter waiter;
    struct mail *mail;
    struct mailbox *box;       // that its mail comes to
    struct uploader *uploader; // one of the two
    struct commit_service *committer;
    struct sim_fiber *fiber;
    struct wait wait; // what it waits for; WAIT_NOTHING: its turn
    bool is_cut;      // it waits for nothing any more
};

// The parts' waiter is set here.
void sim_actor_open_uploader(struct sim_actor *actor, struct uploader_parts parts);
void sim_actor_open_committer(struct sim_actor *actor, struct commit_service_parts parts);
void sim_actor_step(struct sim_actor *actor); // one turn
// Before a call of its storage: gives up the turn.
void sim_actor_yield(struct sim_actor *actor);
// Ends it wherever it is: its storage answers no more calls, and it has no time.
void sim_actor_cut(struct sim_actor *actor);
// After its end.
enum status sim_actor_result(const struct sim_actor *actor, struct err *ret);
void sim_actor_free(struct sim_actor *actor);

#endif
