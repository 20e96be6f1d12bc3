// SPDX-License-Identifier: Apache-2.0
// test: build release
// wrap: publish_look_at_files
// An entry is published without a look whether its files are still there: the simulator
// must find that they are missing when somebody removed one before.
#include "sim/sim_mutant.h"

#include "commit/publish.h"

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
    sim_finds_from(220, sim_data_is_wrong); // one is not far from here
}

TEST_MAIN(cmocka_unit_test(test_simulator_finds_it))
