// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_world.h"

struct share {
    int32_t partitions[SIM_PARTITIONS_MAX];
    size_t n;
};

static bool is_member(const struct sim_process *process)
{
    return process->is_up && process->worker_wait.kind != WAIT_DONE &&
           process->stopped_ms == 0;
}

// False: nobody is up.
static bool share_out(struct sim_world *world, struct share shares[SIM_MEMBERS_MAX])
{
    int up[SIM_MEMBERS_MAX], n_up = 0;
    for (int i = 0; i < world->profile.n_processes; i++)
        if (is_member(&world->processes[i]))
            up[n_up++] = i;
    for (int32_t p = 0; n_up && p < world->topic.n_partitions; p++) {
        struct share *share = &shares[up[sim_between(&world->random, 0, n_up - 1)]];
        share->partitions[share->n++] = p;
    }
    return n_up > 0;
}

// Without a barrier: who gets a partition may do so before another has let go of it.
static void move_at_once(struct sim_world *world)
{
    struct share shares[SIM_MEMBERS_MAX] = {0};
    if (!share_out(world, shares))
        return;
    for (int i = 0; i < world->profile.n_processes; i++) {
        if (!is_member(&world->processes[i]))
            continue;
        sim_trace(world, "group: %d gets %zu partitions", i, shares[i].n);
        sim_stream_reassign(world->processes[i].stream, shares[i].partitions, shares[i].n,
                            sim_chance(&world->random, 30));
    }
}

void sim_group_change(struct sim_world *world)
{
    if (!world->profile.is_calm) {
        move_at_once(world);
        return;
    }
    world->is_regrouping = true;
    for (int i = 0; i < world->profile.n_processes; i++)
        if (is_member(&world->processes[i]))
            sim_stream_revoke(world->processes[i].stream);
}

void sim_group_step(struct sim_world *world)
{
    struct share shares[SIM_MEMBERS_MAX] = {0};
    if (!world->is_regrouping)
        return;
    for (int i = 0; i < world->profile.n_processes; i++)
        if (world->processes[i].is_up &&
            world->processes[i].worker_wait.kind != WAIT_DONE &&
            sim_stream_has_partitions(world->processes[i].stream))
            return;
    world->is_regrouping = false;
    if (!share_out(world, shares))
        return;
    for (int i = 0; i < world->profile.n_processes; i++) {
        if (!is_member(&world->processes[i]))
            continue;
        sim_trace(world, "group: %d gets %zu partitions", i, shares[i].n);
        world->topic.moved_ms = world->clock.now_ms;
        sim_stream_assign(world->processes[i].stream, shares[i].partitions, shares[i].n);
    }
}
