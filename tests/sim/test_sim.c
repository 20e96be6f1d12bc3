// SPDX-License-Identifier: Apache-2.0
// Exactly once under every order, crash, lost answer and late effect that a seed makes
// (sim_schedules.h). Put what a schedule that fails prints into `kept`.
// SIM_DIGEST=1: what each came to, to be compared with another build's
// test: takes 40
// test: build release
// test: quick
#include "sim/sim_digest.h"
#include "sim/sim_schedules.h"

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

static void test_every_record_is_there_once(UNUSED void **state)
{
    log_set_level(LOG_ERROR);
    if (getenv("SIM_DIGEST"))
        sim_show_digests(sim_n_schedules(2000, 20000));
    else
        sim_run_schedules(2000, 20000);
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
