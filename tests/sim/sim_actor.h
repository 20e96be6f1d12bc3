// SPDX-License-Identifier: Apache-2.0
// Uploader, its lanes and the committer as actors: each runs between its waits, and
// between the calls of its storage where that gives up its turn.
#ifndef TESTS_SIM_ACTOR_H
#define TESTS_SIM_ACTOR_H

#include "sim/sim_fiber.h"
#include "work/commit_service.h"
#include "work/lane.h"
#include "work/uploader.h"

struct sim_actor {
    struct waiter waiter;
    struct mail *mail;
    struct mailbox *box;       // that its mail comes to
    struct uploader *uploader; // one of the three
    struct lane *lane;
    struct commit_service *committer;
    void (*begin)(void *context); // NULL: nothing comes before
    void *context;
    struct sim_fiber *fiber;
    struct wait wait; // what it waits for; WAIT_NOTHING: its turn
    bool is_cut;      // its storage answers nothing any more, and it has no time
};

// The parts' waiter is set here.
void sim_actor_open_uploader(struct sim_actor *actor, struct uploader_parts parts);
void sim_actor_open_lane(struct sim_actor *actor, struct lane_parts parts);
void sim_actor_open_committer(struct sim_actor *actor, struct commit_service_parts parts);
// Of a committer that has not had a turn yet: this comes first.
void sim_actor_begin(struct sim_actor *actor, void (*begin)(void *context),
                     void *context);
void sim_actor_step(struct sim_actor *actor); // one turn
// Before a call of its storage: gives up the turn.
void sim_actor_yield(struct sim_actor *actor);
// Ends them wherever they are: an uploader and its lanes, or a committer.
void sim_actor_cut_all(struct sim_actor *const *actors, int n);
// After its end.
enum status sim_actor_result(const struct sim_actor *actor, struct err *ret);
void sim_actor_free(struct sim_actor *actor);

#endif
