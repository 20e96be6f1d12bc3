// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_committer.h"

#include <assert.h>

#include "work/message.h"

static void give_up_turn(struct sim_committer *actor, struct wait wait)
{
    if (actor->is_cut)
        return;
    actor->wait = wait;
    sim_fiber_yield(actor->fiber);
}

static void wait_for(struct waiter *waiter, struct wait wait)
{
    give_up_turn((struct sim_committer *)waiter, wait);
}

static void run(void *context)
{
    struct sim_committer *actor = context;
    commit_service_run(actor->committer);
}

void sim_committer_open(struct sim_committer *actor, struct commit_service_parts parts)
{
    *actor = (struct sim_committer){.waiter = {wait_for}, .mail = parts.mail};
    parts.waiter = &actor->waiter;
    actor->committer = commit_service_open(&parts);
    actor->fiber = sim_fiber_open(run, actor);
}

void sim_committer_step(struct sim_committer *actor)
{
    if (!sim_fiber_resume(actor->fiber))
        actor->wait = (struct wait){WAIT_DONE, 0};
}

void sim_committer_yield(struct sim_committer *actor)
{
    give_up_turn(actor, (struct wait){WAIT_NOTHING, 0});
}

void sim_committer_cut(struct sim_committer *actor)
{
    bool sent = mailbox_try_push(&actor->mail->to_committer, message_new(ASK_END, 0));
    assert(sent);
    deadline_end(&actor->mail->deadline);
    actor->is_cut = true;
    if (actor->wait.kind != WAIT_DONE)
        sim_committer_step(actor);
    assert(actor->wait.kind == WAIT_DONE);
}

void sim_committer_free(struct sim_committer *actor)
{
    commit_service_free(actor->committer);
    sim_fiber_free(actor->fiber);
}
