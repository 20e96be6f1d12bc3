// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_world.h"

#include <inttypes.h>

enum {
    STOP_MS = 6000,    // from being told to stop to the end
    COMMIT_MS = 12000, // from being there to the commit
    LEADER_MS = 25000  // the same, from when the partition has a leader again
};

static int64_t latest(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

// When somebody last began or was told to stop: until then partitions were moving.
static int64_t last_move_ms(const struct sim_world *world)
{
    int64_t ms = world->topic.moved_ms;
    for (int i = 0; i < world->profile.n_processes; i++)
        ms = latest(
            ms, latest(world->processes[i].started_ms, world->processes[i].stopped_ms));
    return ms;
}

static bool all_are_up(const struct sim_world *world)
{
    for (int i = 0; i < world->profile.n_processes; i++)
        if (!world->processes[i].is_up)
            return false;
    return true;
}

static void check_partition(struct sim_world *world, int32_t partition, int64_t moved_ms)
{
    const struct sim_partition *part = &world->topic.partitions[partition];
    int64_t now_ms = world->clock.now_ms;
    if (part->committed == part->high || now_ms < part->away_until_ms)
        return;
    int64_t since_ms = latest(moved_ms, part->records[part->committed].appended_ms);
    if (now_ms > since_ms + COMMIT_MS && now_ms > part->away_until_ms + LEADER_MS)
        sim_fail(world,
                 "partition %d is held up: offset %" PRId64 " is there since %" PRId64
                 " ms and not committed",
                 (int)partition, part->committed, since_ms);
}

void sim_calm_check(struct sim_world *world)
{
    int64_t now_ms = world->clock.now_ms;
    for (int i = 0; i < world->profile.n_processes; i++) {
        const struct sim_process *process = &world->processes[i];
        if (process->is_up && process->stopped_ms &&
            now_ms > process->stopped_ms + STOP_MS)
            sim_fail(world, "process %d was stopped %" PRId64 " ms ago and goes on", i,
                     now_ms - process->stopped_ms);
    }
    int64_t moved_ms = last_move_ms(world);
    if (world->profile.slow_permille)
        return; // nobody can say how long it takes
    for (int32_t p = 0; all_are_up(world) && p < world->topic.n_partitions; p++)
        check_partition(world, p, moved_ms);
}
