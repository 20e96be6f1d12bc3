// SPDX-License-Identifier: Apache-2.0
// test: build release
// Replays that die, race and get no answer: each letter's rows are there once. SIM_SEEDS
// for more schedules, SIM_SEED for one.
#include "test.h"

#include "base/log.h"
#include "sim/sim_replay.h"

enum {
    SCHEDULES = 100
};

static uint64_t number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static void test_each_letter_is_replayed_once(UNUSED void **state)
{
    struct sim_replay_report report = {0};
    AUTO(buf_release) struct buf failure = {0};
    uint64_t one = number("SIM_SEED", 0), n = number("SIM_SEEDS", SCHEDULES);
    log_set_level(LOG_ERROR + 1);
    for (uint64_t seed = one ? one : 1; seed <= (one ? one : n); seed++)
        if (!sim_replay_run(seed, &report, &failure))
            fail_msg("seed %d: %.500s", (int)seed, buf_cstr(&failure));
    print_message("%d replays, %d conflicts, %d deaths, %d failed again\n",
                  report.n_replays, report.n_conflicts, report.n_deaths, report.n_again);
    if (one == 0) { // all of it happens
        assert_true(report.n_replays > (int)n && report.n_conflicts > 0);
        assert_true(report.n_deaths > (int)n && report.n_again > 0);
    }
}

TEST_MAIN(cmocka_unit_test(test_each_letter_is_replayed_once))
