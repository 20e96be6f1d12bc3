// SPDX-License-Identifier: Apache-2.0
// Exactly once under every order, crash, lost answer and late effect that a seed makes. A
// schedule that fails is reduced to the events that matter; put what it prints into
// `kept`.
//   SIM_SEEDS=100000           so many schedules
//   SIM_SEED=17                that one alone, with its trace
//   SIM_SEED=17 SIM_EVENTS=a,b that one with these of its events only
//   SIM_DIGEST=1               what each came to, to be compared with another build's
// test: build release
// test: quick
#include "sim/sim_mutant.h"

#include <inttypes.h>

#include "sim/sim_digest.h"

enum {
    IDS_MAX = 4096,
    TRACE_SHOWN = 20000
};

// Schedules that once failed, or that fail when a rule is left out (tests/sim/
// test_sim_without_*), as they were reduced.
static const struct {
    uint64_t seed;
    uint32_t ids[SIM_EVENTS_MAX + 1]; // ends with 0
    const char *why;
} kept[] = {
    {4, {87114, 88643, 89664}, "a worker begins while a partition has no leader"},
    {7, {7119, 20617}, "a stop while the storage is slow"},
    {7, {45001, 45391}, "a member that waits for the log's end"},
    {11, {131520, 133641}, "a stop with records that are not committed"},
    {193,
     {48009, 51456, 53059, 59456, 59652, 61828, 64512, 64707, 64964, 65412, 65796, 66948,
      67651, 71504, 74058},
     "a partition held back during the pause between two batches"},
    {359,
     {12480, 13120, 16192, 29123, 29760, 30144, 30656, 31680, 32771, 41668, 42560, 42624,
      42819, 47360, 47619},
     "a worker cleans up after another that goes on"},
    {5230,
     {1665, 37891, 39552, 43712, 52736, 59520, 61504, 62283, 62787},
     "a look that nobody wants any more, at a topic that was recreated"},
    {25504,
     {48320, 48783, 60416, 69258, 71363, 76297, 77519},
     "mail for a committer whose last call takes long"},
};

static bool fails(struct sim_world *world)
{
    return world->failure.n > 0;
}

static void show_trace(struct sim_world *world, size_t shown)
{
    const char *trace = buf_cstr(&world->trace);
    size_t skipped = world->trace.n > shown ? world->trace.n - shown : 0;
    fprintf(stderr, "%s\n", trace + skipped);
}

static void fail_with_few(uint64_t seed)
{
    static struct sim_world world;
    struct sim_kept few;
    sim_reduce(seed, fails, &few);
    (void)sim_kept_fails(&few, fails);
    sim_world_replay(&world, seed, few.ids, few.n, true);
    show_trace(&world, TRACE_SHOWN);
    fail_msg("seed %" PRIu64 ": %s", seed, buf_cstr(&world.failure));
}

static size_t parse_ids(const char *text, uint32_t ids[IDS_MAX])
{
    size_t n = 0;
    while (*text && n < IDS_MAX) {
        char *end;
        ids[n++] = (uint32_t)strtoul(text, &end, 10);
        text = *end ? end + 1 : end;
    }
    return n;
}

static void run_one(uint64_t seed)
{
    static struct sim_world world;
    static uint32_t ids[IDS_MAX];
    const char *events = getenv("SIM_EVENTS");
    bool ok = events ? sim_world_replay(&world, seed, ids, parse_ids(events, ids), true)
                     : sim_world_run(&world, seed, true);
    show_trace(&world, SIZE_MAX);
    sim_world_release(&world);
    if (!ok)
        fail_with_few(seed);
}

static void test_every_record_is_there_once(UNUSED void **state)
{
    static struct sim_world world;
    const char *one = getenv("SIM_SEED"), *many = getenv("SIM_SEEDS");
    uint64_t usual = getenv("TEST_LONG") ? 20000 : 2000;
    uint64_t n = many ? strtoull(many, NULL, 10) : usual;
    log_set_level(one ? LOG_DEBUG : LOG_ERROR);
    if (one) {
        run_one(strtoull(one, NULL, 10));
        return;
    }
    if (getenv("SIM_DIGEST")) {
        sim_show_digests(n);
        return;
    }
    for (uint64_t seed = 1; seed <= n; seed++) {
        bool ok = sim_world_run(&world, seed, false);
        sim_world_release(&world);
        if (!ok)
            fail_with_few(seed);
    }
}

static void test_kept_schedules_run_clean(UNUSED void **state)
{
    static struct sim_world world;
    log_set_level(LOG_ERROR + 1);
    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        size_t n = 0;
        while (kept[i].ids[n])
            n++;
        if (!sim_world_replay(&world, kept[i].seed, kept[i].ids, n, false))
            fail_msg("%s: %s", kept[i].why, buf_cstr(&world.failure));
        assert_in_range(world.events.n, 1, n);
        sim_world_release(&world);
    }
}

TEST_MAIN(cmocka_unit_test(test_every_record_is_there_once),
          cmocka_unit_test(test_kept_schedules_run_clean))
