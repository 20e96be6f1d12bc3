// SPDX-License-Identifier: Apache-2.0
// test: build release
// wrap: replay_is_taken
// A replay does not look whether another one was published since it read the log: the
// simulator must find rows twice.
#include "test.h"

#include "base/log.h"
#include "commit/replay.h"
#include "sim/sim_replay.h"

enum {
    SCHEDULES_MAX = 300
};

bool __wrap_replay_is_taken(const struct publish *publish);

bool __wrap_replay_is_taken(UNUSED const struct publish *publish)
{
    return false;
}

static void test_simulator_finds_it(UNUSED void **state)
{
    struct sim_replay_report report = {0};
    AUTO(buf_release) struct buf failure = {0};
    bool is_found = false;
    log_set_level(LOG_ERROR + 1);
    for (uint64_t seed = 1; seed <= SCHEDULES_MAX && !is_found; seed++)
        is_found = !sim_replay_run(seed, &report, &failure) &&
                   strstr(buf_cstr(&failure), "too often: the row of") != NULL;
    print_message("%.300s\n", buf_cstr(&failure));
    assert_true(is_found);
}

TEST_MAIN(cmocka_unit_test(test_simulator_finds_it))
