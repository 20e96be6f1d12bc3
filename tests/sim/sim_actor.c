// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_actor.h"

#include <assert.h>

#include "work/message.h"

enum {
    TURNS_MAX = 1000 // until all have ended that are cut
};

static void give_up_turn(struct sim_actor *actor, struct wait wait)
{
    if (actor->is_cut)
        return;
    actor->wait = wait;
    sim_fiber_yield(actor->fiber);
}

// Mail still comes from the other actors that end; time does not pass any more.
static void wait_for(struct waiter *waiter, struct wait wait)
{
    struct sim_actor *actor = (struct sim_actor *)waiter;
    if (!actor->is_cut)
        give_up_turn(actor, wait);
    else if (wait.kind == WAIT_MAIL)
        sim_fiber_yield(actor->fiber);
}

static void run_uploader(void *context)
{
    struct sim_actor *actor = context;
    uploader_run(actor->uploader);
}

static void run_lane(void *context)
{
    struct sim_actor *actor = context;
    lane_run(actor->lane);
}

static void run_committer(void *context)
{
    struct sim_actor *actor = context;
    if (actor->begin != NULL)
        actor->begin(actor->context);
    commit_service_run(actor->committer);
}

void sim_actor_open_uploader(struct sim_actor *actor, struct uploader_parts parts)
{
    *actor = (struct sim_actor){
        .waiter = {wait_for}, .mail = parts.mail, .box = &parts.mail->to_uploader};
    parts.waiter = &actor->waiter;
    actor->uploader = uploader_open(&parts);
    actor->fiber = sim_fiber_open(run_uploader, actor);
}

void sim_actor_open_lane(struct sim_actor *actor, struct lane_parts parts)
{
    *actor = (struct sim_actor){.waiter = {wait_for},
                                .mail = parts.mail,
                                .box = &parts.mail->to_lanes[parts.number]};
    parts.waiter = &actor->waiter;
    actor->lane = lane_open(&parts);
    actor->fiber = sim_fiber_open(run_lane, actor);
}

void sim_actor_open_committer(struct sim_actor *actor, struct commit_service_parts parts)
{
    *actor = (struct sim_actor){
        .waiter = {wait_for}, .mail = parts.mail, .box = &parts.mail->to_committer};
    parts.waiter = &actor->waiter;
    actor->committer = commit_service_open(&parts);
    actor->fiber = sim_fiber_open(run_committer, actor);
}

void sim_actor_begin(struct sim_actor *actor, void (*begin)(void *context), void *context)
{
    actor->begin = begin;
    actor->context = context;
}

void sim_actor_step(struct sim_actor *actor)
{
    if (!sim_fiber_resume(actor->fiber))
        actor->wait = (struct wait){WAIT_DONE, 0};
}

void sim_actor_yield(struct sim_actor *actor)
{
    give_up_turn(actor, (struct wait){WAIT_NOTHING, 0});
}

static bool has_ended(const struct sim_actor *actor)
{
    return actor->wait.kind == WAIT_DONE;
}

// Lanes the uploader ends.
static void cut(struct sim_actor *actor)
{
    if (actor->lane == NULL) {
        bool sent = mailbox_try_push(actor->box, message_new(ASK_END, 0));
        assert(sent);
    }
    deadline_end(&actor->mail->deadline);
    actor->is_cut = true;
}

void sim_actor_cut_all(struct sim_actor *const *actors, int n)
{
    bool goes_on = true;
    for (int i = 0; i < n; i++)
        cut(actors[i]);
    for (int turns = 0; goes_on; turns++) {
        assert(turns < TURNS_MAX);
        goes_on = false;
        for (int i = 0; i < n; i++) {
            if (!has_ended(actors[i]))
                sim_actor_step(actors[i]);
            goes_on |= !has_ended(actors[i]);
        }
    }
}

enum status sim_actor_result(const struct sim_actor *actor, struct err *ret)
{
    if (actor->lane != NULL)
        return ST_OK; // what went wrong its uploader says
    return actor->uploader ? uploader_result(actor->uploader, ret)
                           : commit_service_result(actor->committer, ret);
}

void sim_actor_free(struct sim_actor *actor)
{
    uploader_free(actor->uploader);
    lane_free(actor->lane);
    commit_service_free(actor->committer);
    sim_fiber_free(actor->fiber);
}
