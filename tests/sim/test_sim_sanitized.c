// SPDX-License-Identifier: Apache-2.0
// A part of the schedules of test_sim.c under the sanitizers.
// test: takes 60
#include "sim/sim_mutant.h"

enum {
    SCHEDULES = 300
};

static bool fails(struct sim_world *world)
{
    return world->failure.n > 0;
}

static void test_schedules_run_clean(UNUSED void **state)
{
    assert_int_equal(sim_first(1, SCHEDULES, fails), 0);
}

TEST_MAIN(cmocka_unit_test(test_schedules_run_clean))
