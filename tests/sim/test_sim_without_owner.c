// SPDX-License-Identifier: Apache-2.0
// test: build release
// wrap: log_state_is_claimed_by publish_look_at_files
// A commit needs no claim of its own, only offsets that follow on the log: the simulator
// must find lost data, as the files of who was superseded are removed.
#include "sim/sim_mutant.h"

#include "commit/publish.h"

bool __wrap_log_state_is_claimed_by(const struct log_partition *partition,
                                    const char *writer);

bool __wrap_log_state_is_claimed_by(UNUSED const struct log_partition *partition,
                                    UNUSED const char *writer)
{
    return true;
}

// Files that the new owner has removed would be missed all the same.
enum status __wrap_publish_look_at_files(struct publish *publish, bool *ret,
                                         struct err *err);

enum status __wrap_publish_look_at_files(UNUSED struct publish *publish, bool *ret,
                                         UNUSED struct err *err)
{
    *ret = true;
    return ST_OK;
}

static void test_simulator_finds_it(UNUSED void **state)
{
    sim_finds_from(700, sim_data_is_wrong_unswept); // one is not far from here
}

TEST_MAIN(cmocka_unit_test(test_simulator_finds_it))
