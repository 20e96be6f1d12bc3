// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "engine/paths.h"
#include "sim/sim_check.h"

enum {
    FINAL_MS = 60000, // with short steps
    FINAL_STEPS = 200000,
    SMALL_BUCKET = 100,
    SETTLE_MS = 3000
};

void sim_trace(struct sim_world *world, const char *fmt, ...)
{
    if (!world->is_traced)
        return;
    char line[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    buf_printf(&world->trace, "%7" PRId64 " %s\n", world->clock.now_ms, line);
}

void sim_fail(struct sim_world *world, const char *fmt, ...)
{
    char line[2048];
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    buf_printf(&world->failure, "%s\n", line);
    sim_trace(world, "FAILED: %s", line);
}

static struct sim_profile choose_profile(struct sim_random *random)
{
    static const int faults[] = {0, 2, 10, 25}, restarts[] = {3, 10, 30};
    bool has_retention = bucket_first(1) < SMALL_BUCKET;
    return (struct sim_profile){
        .n_partitions = (int32_t)sim_between(random, 1, SIM_PARTITIONS_MAX),
        .n_processes = (int)sim_between(random, 1, SIM_MEMBERS_MAX),
        .n_steps = (int)sim_between(random, 300, has_retention ? 4500 : 2200),
        .storage_fault_percent = faults[sim_between(random, 0, 3)],
        .source_fault_percent = faults[sim_between(random, 0, 2)],
        .crash_permille = (int)sim_between(random, 0, 15),
        .publish_death_percent = sim_chance(random, 30) ? 30 : 0,
        .restart_permille = restarts[sim_between(random, 0, 2)],
        .power_cut_permille = sim_chance(random, 30) ? 8 : 0,
        .outage_permille = (int)sim_between(random, 0, 5),
        .stall_permille = (int)sim_between(random, 0, 8),
        .reassign_permille = (int)sim_between(random, 0, 15),
        .ends_by_once = sim_chance(random, 40),
        .has_retention = has_retention,
        .is_uneven = sim_chance(random, 30),
        .step_ms = has_retention ? 40 : 4,
    };
}

static void world_init(struct sim_world *world, uint64_t seed, bool is_traced)
{
    *world =
        (struct sim_world){.random = {seed}, .has_faults = true, .is_traced = is_traced};
    world->trace.limit = SIM_TRACE_BYTES;
    sim_next(&world->random);
    world->profile = choose_profile(&world->random);
    sim_clock_init(&world->clock, seed);
    sim_topic_init(&world->topic, world->profile.n_partitions, &world->random);
    world->topic.fault_percent = world->profile.source_fault_percent;
    world->tree = mem_tree_open(&world->clock.env);
    world->view = storage_mem_open(world->tree, "/r");
    for (int i = 0; i < SIM_MEMBERS_MAX; i++)
        world->processes[i] = (struct sim_process){.world = world, .index = i};
}

void sim_world_release(struct sim_world *world)
{
    for (int i = 0; i < SIM_MEMBERS_MAX; i++)
        if (world->processes[i].is_up)
            sim_process_crash(&world->processes[i]);
    for (size_t i = 0; i < world->n_orphans; i++)
        world->orphans[i]->ops->close(world->orphans[i]);
    world->view->ops->close(world->view);
    mem_tree_unref(world->tree);
    buf_release(&world->removed);
    buf_release(&world->revived);
    buf_release(&world->trace);
    buf_release(&world->failure);
}

static struct sim_process *any_process(struct sim_world *world)
{
    return &world->processes[sim_between(&world->random, 0,
                                         world->profile.n_processes - 1)];
}

// The group.

static void reassign(struct sim_world *world)
{
    int32_t owned[SIM_MEMBERS_MAX][SIM_PARTITIONS_MAX];
    size_t n_owned[SIM_MEMBERS_MAX] = {0};
    int up[SIM_MEMBERS_MAX], n_up = 0;
    for (int i = 0; i < world->profile.n_processes; i++)
        if (world->processes[i].is_up &&
            world->processes[i].worker_wait.kind != WAIT_DONE)
            up[n_up++] = i;
    for (int32_t p = 0; n_up && p < world->topic.n_partitions; p++) {
        int owner = up[sim_between(&world->random, 0, n_up - 1)];
        owned[owner][n_owned[owner]++] = p;
    }
    for (int k = 0; k < n_up; k++) {
        int i = up[k];
        sim_trace(world, "group: %d gets %zu partitions", i, n_owned[i]);
        sim_source_reassign(world->processes[i].source, owned[i], n_owned[i],
                            sim_chance(&world->random, 30));
    }
}

static void start_some(struct sim_world *world, bool once)
{
    for (int i = 0; i < world->profile.n_processes; i++)
        if (!world->processes[i].is_up)
            sim_process_start(&world->processes[i], once);
    reassign(world);
}

// Chaos.

static bool happens(struct sim_world *world, int permille)
{
    return sim_between(&world->random, 0, 999) < permille;
}

static void crash_one(struct sim_world *world)
{
    struct sim_process *process = any_process(world);
    if (process->is_up && sim_chance(&world->random, 50))
        process->n_calls_to_live = sim_between(&world->random, 1, 12);
    else if (process->is_up)
        sim_process_crash(process);
}

static void crash_all(struct sim_world *world)
{
    for (int i = 0; i < SIM_MEMBERS_MAX; i++)
        if (world->processes[i].is_up)
            sim_process_crash(&world->processes[i]);
}

static bool settle_one(struct sim_world *world)
{
    struct storage *late[SIM_ORPHANS_MAX + SIM_MEMBERS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < world->n_orphans; i++)
        if (storage_fault_n_late(world->orphans[i]))
            late[n++] = world->orphans[i];
    for (int i = 0; i < SIM_MEMBERS_MAX; i++)
        if (world->processes[i].is_up &&
            storage_fault_n_late(world->processes[i].storage))
            late[n++] = world->processes[i].storage;
    if (n == 0)
        return false;
    struct storage *storage = late[sim_between(&world->random, 0, (int64_t)n - 1)];
    int64_t n_late = (int64_t)storage_fault_n_late(storage);
    enum status rc = storage_fault_settle_one(
        storage, (size_t)sim_between(&world->random, 0, n_late - 1));
    sim_trace(world, "a late call takes effect: %s", status_name(rc));
    return true;
}

static void append_some(struct sim_world *world)
{
    int32_t partition =
        (int32_t)sim_between(&world->random, 0, world->topic.n_partitions - 1);
    if (world->profile.is_uneven && !sim_chance(&world->random, 2))
        partition = 0;
    sim_topic_append(&world->topic, partition, sim_between(&world->random, 1, 20));
}

static void something_happens(struct sim_world *world)
{
    const struct sim_profile *profile = &world->profile;
    int64_t now_ms = world->clock.now_ms;
    if (happens(world, 40))
        append_some(world);
    if (happens(world, profile->crash_permille))
        crash_one(world);
    if (happens(world, profile->power_cut_permille))
        crash_all(world);
    if (happens(world, profile->restart_permille))
        start_some(world, false);
    if (happens(world, profile->reassign_permille))
        reassign(world);
    if (happens(world, profile->outage_permille))
        any_process(world)->outage_until_ms =
            now_ms + sim_between(&world->random, 1, 6000);
    if (happens(world, profile->stall_permille))
        any_process(world)->stalled_until_ms =
            now_ms + sim_between(&world->random, 1, 5000);
    if (happens(world, 20))
        settle_one(world);
    // No call is on its way for as long as entries are kept.
    if (profile->has_retention && now_ms > world->all_settled_ms + SETTLE_MS) {
        world->all_settled_ms = now_ms;
        while (settle_one(world))
            continue;
    }
    struct sim_process *process = any_process(world);
    if (happens(world, 2) && process->is_up)
        worker_stop(process->worker);
}

// Somebody does something, or time passes until somebody can.
static void step_somebody(struct sim_world *world)
{
    int first = (int)sim_between(&world->random, 0, SIM_MEMBERS_MAX - 1);
    int64_t wakes_ms = INT64_MAX;
    world->clock.now_ms += sim_between(&world->random, 0, world->profile.step_ms);
    for (int i = 0; i < SIM_MEMBERS_MAX; i++) {
        struct sim_process *process = &world->processes[(first + i) % SIM_MEMBERS_MAX];
        if (sim_process_step(process))
            return;
        int64_t ms = sim_process_wakes_ms(process);
        wakes_ms = ms < wakes_ms ? ms : wakes_ms;
    }
    if (wakes_ms != INT64_MAX && wakes_ms > world->clock.now_ms)
        world->clock.now_ms = wakes_ms;
}

static void run_chaos(struct sim_world *world)
{
    start_some(world, false);
    for (int i = 0; i < world->profile.n_steps && world->failure.n == 0; i++) {
        something_happens(world);
        step_somebody(world);
    }
}

// The last round, without new faults; late calls go on taking effect.

static void end_faults(struct sim_world *world)
{
    world->has_faults = false;
    world->topic.fault_percent = 0;
    for (int i = 0; i < SIM_MEMBERS_MAX; i++) {
        struct sim_process *process = &world->processes[i];
        process->n_calls_to_live = 0;
        process->outage_until_ms = 0;
        process->decoder.fault_percent = 0;
    }
    sim_trace(world, "--- no more faults");
}

static bool somebody_is_up(const struct sim_world *world)
{
    for (int i = 0; i < SIM_MEMBERS_MAX; i++)
        if (world->processes[i].is_up)
            return true;
    return false;
}

static bool all_are_up(const struct sim_world *world)
{
    for (int i = 0; i < world->profile.n_processes; i++)
        if (!world->processes[i].is_up)
            return false;
    return true;
}

// With `comes_back` who has ended begins anew, and the group notices.
static void run_on(struct sim_world *world, int64_t until_ms, bool comes_back)
{
    for (int i = 0; world->clock.now_ms < until_ms && somebody_is_up(world); i++) {
        if (world->failure.n)
            return;
        if (i == FINAL_STEPS) {
            sim_fail(world, "it does not come to rest");
            return;
        }
        step_somebody(world);
        if (happens(world, 50))
            settle_one(world);
        if (comes_back && !all_are_up(world))
            start_some(world, false);
    }
}

static void stop_all(struct sim_world *world)
{
    for (int i = 0; i < SIM_MEMBERS_MAX; i++)
        if (world->processes[i].is_up)
            worker_stop(world->processes[i].worker);
    run_on(world, INT64_MAX, false);
}

static void run_last_round(struct sim_world *world)
{
    end_faults(world);
    if (world->profile.ends_by_once)
        crash_all(world);
    start_some(world, world->profile.ends_by_once);
    int64_t slower = world->profile.has_retention ? 10 : 1;
    int64_t end_ms = world->clock.now_ms + FINAL_MS * slower;
    run_on(world, end_ms, !world->profile.ends_by_once);
    if (world->profile.ends_by_once && somebody_is_up(world))
        sim_fail(world, "run --once does not end");
    stop_all(world);
    while (settle_one(world))
        continue;
}

bool sim_world_run(struct sim_world *world, uint64_t seed, bool is_traced)
{
    world_init(world, seed, is_traced);
    run_chaos(world);
    if (world->failure.n == 0)
        run_last_round(world);
    if (world->failure.n == 0)
        sim_check(world);
    return world->failure.n == 0;
}
