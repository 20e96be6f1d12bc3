// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_actor.h"

#include <assert.h>

#include "work/message.h"

static void give_up_turn(struct sim_actor *actor, struct wait wait)
{
    if (actor->is_cut)
        return;
    actor->wait = wait;
    sim_fiber_yield(actor->fiber);
}

static void wait_for(struct waiter *waiter, struct wait wait)
{
    give_up_turn((struct sim_actor *)waiter, wait);
}

static void run_uploader(void *context)
{
    struct sim_actor *actor = context;
    uploader_run(actor->uploader);
}

static void run_committer(void *context)
{
    struct sim_actor *actor = context;
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

void sim_actor_open_committer(struct sim_actor *actor, struct commit_service_parts parts)
{
    *actor = (struct sim_actor){
        .waiter = {wait_for}, .mail = parts.mail, .box = &parts.mail->to_committer};
    parts.waiter = &actor->waiter;
    actor->committer = commit_service_open(&parts);
    actor->fiber = sim_fiber_open(run_committer, actor);
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

void sim_actor_cut(struct sim_actor *actor)
{
    bool sent = mailbox_try_push(actor->box, message_new(ASK_END, 0));
    assert(sent);
    deadline_end(&actor->mail->deadline);
    actor->is_cut = true;
    if (actor->wait.kind != WAIT_DONE)
        sim_actor_step(actor);
    assert(actor->wait.kind == WAIT_DONE);
}

enum status sim_actor_result(const struct sim_actor *actor, struct err *ret)
{
    return actor->uploader ? uploader_result(actor->uploader, ret)
                           : commit_service_result(actor->committer, ret);
}

void sim_actor_free(struct sim_actor *actor)
{
    uploader_free(actor->uploader);
    commit_service_free(actor->committer);
    sim_fiber_free(actor->fiber);
}
