// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "log/paths.h"
#include "sim/sim_check.h"
#include "status_name.h"

enum {
    FLAT_EACH = 6,    // schedules: of one the storage cannot rename
    FINAL_MS = 60000, // with short steps
    FINAL_STEPS = 200000,
    SMALL_BUCKET = 100,
    SETTLE_MS = 3000,
    CALM_PERCENT = 20,
    AWAY_MS = 8000,
    CALM_AWAY_MS = 40000,
    OTHER_PERMILLE = 8,
    CUT_MAX = 30 // offsets
};

// Parts of a step that have their own chance; those of events come after.
enum part {
    PART_STEP,
    PART_EVENTS
};

static void begin_part(struct sim_world *world, uint64_t part)
{
    world->random = sim_random_at(world->seed, world->step, part);
}

static void begin_step(struct sim_world *world)
{
    sim_events_step(&world->events, ++world->step);
    begin_part(world, PART_STEP);
}

struct storage *sim_world_storage(struct sim_world *world)
{
    return world->profile.is_flat ? storage_mem_open_flat(world->tree, "/r")
                                  : storage_mem_open(world->tree, "/r");
}

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

static struct sim_profile calm_profile(struct sim_random *random)
{
    return (struct sim_profile){
        .n_partitions = (int32_t)sim_between(random, 1, SIM_PARTITIONS_MAX),
        .n_processes = (int)sim_between(random, 1, SIM_MEMBERS_MAX),
        .n_steps = (int)sim_between(random, 500, 3000),
        .restart_permille = 10,
        .stop_permille = (int)sim_between(random, 0, 6),
        .reassign_permille = (int)sim_between(random, 0, 2),
        .away_permille = (int)sim_between(random, 0, 3),
        .append_permille = 15,
        .slow_permille = sim_chance(random, 25) ? 3 : 0,
        .ends_by_once = sim_chance(random, 40),
        .is_uneven = sim_chance(random, 30),
        .step_ms = 4,
        .is_calm = true,
    };
}

static struct sim_profile choose_profile(struct sim_random *random, uint64_t seed)
{
    static const int faults[] = {0, 2, 10, 25}, restarts[] = {3, 10, 30};
    bool has_retention = bucket_first(1) < SMALL_BUCKET;
    bool has_deaths = seed >= SIM_SEED_DEATHS || sim_chance(random, 40);
    if (!has_retention && seed < SIM_SEED_DEATHS && sim_chance(random, CALM_PERCENT))
        return calm_profile(random);
    return (struct sim_profile){
        .n_partitions = (int32_t)sim_between(random, 1, SIM_PARTITIONS_MAX),
        .n_processes = (int)sim_between(random, 1, SIM_MEMBERS_MAX),
        .n_steps = (int)sim_between(random, 300, has_retention ? 4500 : 2200),
        .storage_fault_percent = faults[sim_between(random, 0, 3)],
        .source_fault_percent = faults[sim_between(random, 0, 2)],
        .crash_permille = (int)sim_between(random, 0, 15),
        .publish_death_percent = has_deaths ? 40 : 0,
        .restart_permille = restarts[sim_between(random, 0, 2)],
        .power_cut_permille = sim_chance(random, 30) ? 8 : 0,
        .outage_permille = (int)sim_between(random, 0, 5),
        .stall_permille = (int)sim_between(random, 0, 8),
        .reassign_permille = (int)sim_between(random, 0, 15),
        .stop_permille = 2,
        .away_permille = sim_chance(random, 30) ? 3 : 0,
        .recreate_permille = sim_chance(random, 15) ? 8 : 0,
        .append_permille = 40,
        .ends_by_once = sim_chance(random, 40),
        .has_retention = has_retention,
        .is_uneven = sim_chance(random, has_retention ? 80 : 30),
        .step_ms = has_retention ? 40 : 4,
        .sweep_permille = sim_chance(random, 20) ? 10 : 0,
    };
}

// Of a seed, without chance: schedules stay what they are for it.
static void choose_knowledge(struct sim_profile *profile, uint64_t seed)
{
    static const enum sim_knows knows[] = {SIM_NAME, SIM_EPOCHS, SIM_ID, SIM_ID,
                                           SIM_NAME};
    uint64_t kind = seed / ARRAY_LEN(knows) % 4;
    profile->knows = knows[seed % ARRAY_LEN(knows)];
    profile->is_mixed = seed % ARRAY_LEN(knows) == ARRAY_LEN(knows) - 1;
    if (profile->is_calm || profile->has_retention)
        return;
    profile->is_cutting = kind == 0 && profile->knows != SIM_NAME;
    if (kind == 1 || profile->is_cutting)
        profile->recreate_permille = OTHER_PERMILLE;
}

enum sim_knows sim_world_knows(const struct sim_world *world, int process)
{
    static const enum sim_knows all[] = {SIM_NAME, SIM_EPOCHS, SIM_ID};
    if (!world->profile.is_mixed)
        return world->profile.knows;
    return all[(world->seed + world->step + (uint64_t)process) % ARRAY_LEN(all)];
}

// What the topic saw that may not be.
static void look_at_topic(struct sim_world *world)
{
    if (world->topic.wrong[0])
        sim_fail(world, "%s", world->topic.wrong);
    world->topic.wrong[0] = '\0';
}

static void world_init(struct sim_world *world, uint64_t seed, bool is_traced)
{
    *world = (struct sim_world){.seed = seed, .has_faults = true, .is_traced = is_traced};
    world->trace.limit = SIM_TRACE_BYTES;
    begin_step(world);
    world->profile = choose_profile(&world->random, seed);
    world->profile.is_flat = !world->profile.has_retention && seed % FLAT_EACH == 2;
    choose_knowledge(&world->profile, seed);
    if (world->profile.is_flat) // what lies there is the result, not on its way
        world->profile.sweep_permille = 0;
    sim_clock_init(&world->clock, seed);
    sim_topic_init(&world->topic, world->profile.n_partitions, &world->random);
    world->topic.fault_percent = world->profile.source_fault_percent;
    world->topic.events = &world->events;
    world->topic.clock = &world->clock;
    world->topic.is_calm = world->profile.is_calm && !world->profile.slow_permille;
    world->tree = mem_tree_open(&world->clock.env);
    world->view = sim_world_storage(world);
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
    sim_events_release(&world->events);
}

static struct sim_process *any_process(struct sim_world *world)
{
    return &world->processes[sim_between(&world->random, 0,
                                         world->profile.n_processes - 1)];
}

static void start_some(struct sim_world *world, bool once)
{
    for (int i = 0; i < world->profile.n_processes; i++)
        if (!world->processes[i].is_up)
            sim_process_start(&world->processes[i], once);
    sim_group_change(world);
}

// Chaos.

static bool happens(struct sim_world *world, int permille)
{
    return sim_between(&world->random, 0, 999) < permille;
}

static bool event_happens(struct sim_world *world, enum sim_event_kind kind, int permille)
{
    begin_part(world, (uint64_t)PART_EVENTS + kind);
    return happens(world, permille) && sim_events_let(&world->events, kind);
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
    struct storage *late[SIM_ORPHANS_MAX + SIM_MEMBERS_MAX * SIM_CLIENTS];
    size_t n = 0;
    for (size_t i = 0; i < world->n_orphans; i++)
        if (storage_fault_n_late(world->orphans[i]))
            late[n++] = world->orphans[i];
    for (int i = 0; i < SIM_MEMBERS_MAX * SIM_CLIENTS; i++) {
        const struct sim_process *process = &world->processes[i / SIM_CLIENTS];
        struct storage *storage = process->clients[i % SIM_CLIENTS].storage;
        if (process->is_up && storage != NULL && storage_fault_n_late(storage))
            late[n++] = storage;
    }
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

// In a calm schedule one of several at a time, and only when all have been read.
static void take_leader(struct sim_world *world)
{
    struct sim_topic *topic = &world->topic;
    int32_t partition = (int32_t)sim_between(&world->random, 0, topic->n_partitions - 1);
    int64_t now_ms = world->clock.now_ms;
    int64_t most_ms = world->profile.is_calm ? CALM_AWAY_MS : AWAY_MS;
    for (int32_t p = 0; world->profile.is_calm && p < topic->n_partitions; p++)
        if (topic->partitions[p].committed == 0 || topic->n_partitions == 1 ||
            now_ms < topic->partitions[p].away_until_ms)
            return;
    sim_trace(world, "partition %d has no leader", (int)partition);
    sim_topic_away(topic, partition, now_ms,
                   now_ms + sim_between(&world->random, 1, most_ms));
}

// Nobody with the records from there on is there when a leader is elected.
static void cut(struct sim_world *world)
{
    struct sim_topic *topic = &world->topic;
    int32_t partition = (int32_t)sim_between(&world->random, 0, topic->n_partitions - 1);
    int64_t high = topic->partitions[partition].high;
    if (topic->is_cut || high == 0)
        return;
    int64_t to = high - sim_between(&world->random, 1, high < CUT_MAX ? high : CUT_MAX);
    sim_trace(world, "partition %d is cut back to offset %d", (int)partition, (int)to);
    sim_topic_cut(topic, partition, to);
}

// No record of the first one tells, only its id.
static void recreate_unseen(struct sim_world *world)
{
    int64_t read_to[SIM_PARTITIONS_MAX];
    if (world->topic.is_recreated || !sim_check_read_to(world, read_to))
        return;
    sim_trace(world, "the topic is recreated unseen");
    sim_topic_recreate_unseen(&world->topic, read_to);
}

// Another topic under the same name. What nobody has read of the first one is gone; what
// was read must be known from a record at least, or nobody could tell the two apart.
static void recreate(struct sim_world *world)
{
    bool all = false, any = false;
    if (world->profile.knows == SIM_ID && sim_chance(&world->random, 50)) {
        recreate_unseen(world);
        return;
    }
    sim_check_marks(world, &any, &all);
    if (!all || world->topic.is_recreated)
        return;
    sim_trace(world, "the topic is recreated");
    sim_topic_recreate(&world->topic);
}

static void reassign_some(struct sim_world *world)
{
    if (!world->is_regrouping)
        sim_group_change(world);
}

static void keep_late_calls_short(struct sim_world *world)
{
    int64_t now_ms = world->clock.now_ms;
    if (!world->profile.has_retention || now_ms <= world->all_settled_ms + SETTLE_MS)
        return;
    world->all_settled_ms = now_ms;
    while (settle_one(world))
        continue;
}

static void something_happens(struct sim_world *world)
{
    const struct sim_profile *profile = &world->profile;
    int64_t now_ms = world->clock.now_ms;
    struct sim_random *random = &world->random;
    if (event_happens(world, SIM_APPEND, profile->append_permille))
        append_some(world);
    if (event_happens(world, SIM_CRASH, profile->crash_permille))
        crash_one(world);
    if (event_happens(world, SIM_POWER_CUT, profile->power_cut_permille))
        crash_all(world);
    if (event_happens(world, SIM_RESTART, profile->restart_permille))
        start_some(world, false);
    if (event_happens(world, SIM_REASSIGN, profile->reassign_permille))
        reassign_some(world);
    if (event_happens(world, SIM_OUTAGE, profile->outage_permille))
        any_process(world)->outage_until_ms = now_ms + sim_between(random, 1, 6000);
    if (event_happens(world, SIM_STALL, profile->stall_permille))
        any_process(world)->stalled_until_ms = now_ms + sim_between(random, 1, 5000);
    if (event_happens(world, SIM_SETTLE, 20))
        settle_one(world);
    if (event_happens(world, SIM_AWAY, profile->away_permille))
        take_leader(world);
    if (event_happens(world, SIM_RECREATE, profile->recreate_permille))
        (profile->is_cutting ? cut : recreate)(world);
    if (event_happens(world, SIM_SWEEP, profile->sweep_permille))
        sim_process_sweep(any_process(world));
    if (event_happens(world, SIM_SLOW, profile->slow_permille))
        any_process(world)->slow_until_ms = now_ms + sim_between(random, 1, 20000);
    keep_late_calls_short(world);
    if (event_happens(world, SIM_STOP, profile->stop_permille))
        sim_process_stop(any_process(world));
}

// Somebody does something, or time passes until somebody can.
static void step_somebody(struct sim_world *world)
{
    int first = (int)sim_between(&world->random, 0, SIM_MEMBERS_MAX - 1);
    int64_t wakes_ms = INT64_MAX;
    sim_group_step(world);
    world->clock.now_ms += sim_between(&world->random, 0, world->profile.step_ms);
    for (int i = 0; i < SIM_MEMBERS_MAX; i++) {
        struct sim_process *process = &world->processes[(first + i) % SIM_MEMBERS_MAX];
        if (sim_process_step(process)) {
            look_at_topic(world);
            return;
        }
        int64_t ms = sim_process_wakes_ms(process);
        wakes_ms = ms < wakes_ms ? ms : wakes_ms;
    }
    if (wakes_ms != INT64_MAX && wakes_ms > world->clock.now_ms)
        world->clock.now_ms = wakes_ms;
}

static void run_chaos(struct sim_world *world)
{
    for (int32_t p = 0; world->profile.is_calm && p < world->topic.n_partitions; p++)
        sim_topic_record(&world->topic, p, SIM_ROWS, 1);
    start_some(world, false);
    for (int i = 0; i < world->profile.n_steps && world->failure.n == 0; i++) {
        begin_step(world);
        something_happens(world);
        begin_part(world, PART_STEP);
        step_somebody(world);
        if (world->profile.is_calm)
            sim_calm_check(world);
    }
}

// The last round, without new faults; late calls go on taking effect.

static void end_faults(struct sim_world *world)
{
    world->has_faults = false;
    world->topic.fault_percent = 0;
    for (int32_t p = 0; p < world->topic.n_partitions; p++)
        sim_topic_away(&world->topic, p, 0, 0);
    for (int i = 0; i < SIM_MEMBERS_MAX; i++) {
        struct sim_process *process = &world->processes[i];
        process->n_calls_to_live = 0;
        process->outage_until_ms = 0;
        process->slow_until_ms = 0;
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

// With `comes_back` who has ended begins again, and the group notices.
static void run_on(struct sim_world *world, int64_t until_ms, bool comes_back)
{
    for (int i = 0; world->clock.now_ms < until_ms && somebody_is_up(world); i++) {
        if (world->failure.n)
            return;
        if (i == FINAL_STEPS) {
            sim_fail(world, "it does not come to rest");
            return;
        }
        begin_step(world);
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
            sim_process_stop(&world->processes[i]);
    run_on(world, INT64_MAX, false);
}

// Nobody may read on in another topic than the log's, or behind what a cut took away.
static void check_no_reader(struct sim_world *world)
{
    for (int i = 0; i < SIM_MEMBERS_MAX; i++) {
        const struct sim_process *process = &world->processes[i];
        for (int32_t p = 0; p < world->topic.n_partitions && process->is_up; p++)
            if (sim_process_reads(process, p) &&
                (world->topic.is_recreated || sim_check_is_lost(world, p)))
                sim_fail(world,
                         "process %d reads on in another topic: that is wrong data", i);
    }
}

static void run_recreated_round(struct sim_world *world)
{
    for (int32_t p = 0; p < world->topic.n_partitions; p++)
        sim_topic_append(&world->topic, p, 20);
    for (int round = 0; round < 2; round++) { // the second puts into place what is in tmp
        while (settle_one(world))
            continue;
        start_some(world, false);
        run_on(world, world->clock.now_ms + FINAL_MS, false);
    }
    check_no_reader(world);
}

static void run_last_round(struct sim_world *world)
{
    bool once = world->profile.ends_by_once;
    end_faults(world);
    if (world->topic.is_recreated || world->topic.is_cut) {
        run_recreated_round(world);
    } else {
        if (once && world->profile.is_calm)
            stop_all(world);
        else if (once)
            crash_all(world);
        start_some(world, once);
        int64_t slower = world->profile.has_retention ? 10 : 1;
        run_on(world, world->clock.now_ms + FINAL_MS * slower, !once);
        if (once && somebody_is_up(world))
            sim_fail(world, "run --once does not end");
    }
    stop_all(world);
    while (settle_one(world))
        continue;
}

static void run_world(struct sim_world *world)
{
    run_chaos(world);
    if (world->failure.n == 0)
        run_last_round(world);
    if (world->failure.n == 0)
        sim_check(world);
}

bool sim_world_run(struct sim_world *world, uint64_t seed, bool is_traced)
{
    world_init(world, seed, is_traced);
    run_world(world);
    return world->failure.n == 0;
}

bool sim_world_replay(struct sim_world *world, uint64_t seed, const uint32_t *kept,
                      size_t n_kept, bool is_traced)
{
    world_init(world, seed, is_traced);
    world->events.kept = kept;
    world->events.n_kept = n_kept;
    run_world(world);
    return world->failure.n == 0;
}
