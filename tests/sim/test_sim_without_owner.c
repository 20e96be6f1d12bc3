// SPDX-License-Identifier: Apache-2.0
// test: build release
// wrap: log_state_is_claimed_by
// A commit needs no claim of its own, only offsets that follow on the log: the simulator
// must find lost data, as the files of who was superseded are removed.
#include "sim/sim_mutant.h"

#include "log/log_state.h"

bool __wrap_log_state_is_claimed_by(const struct log_partition *partition,
                                    const char *writer);

bool __wrap_log_state_is_claimed_by(UNUSED const struct log_partition *partition,
                                    UNUSED const char *writer)
{
    return true;
}

static void test_simulator_finds_it(UNUSED void **state)
{
    sim_finds(sim_data_is_wrong);
}

TEST_MAIN(cmocka_unit_test(test_simulator_finds_it))
