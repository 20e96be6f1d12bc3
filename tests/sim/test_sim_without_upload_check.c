// SPDX-License-Identifier: Apache-2.0
// test: build release
// What lies at the storage is not compared with what was sent there: the simulator must
// find files that changed on their way.
#include "sim/sim_mutant.h"

#define checksum_eq(a, b) ((void)(a), (void)(b), true)
#include "work/upload.c"

static void test_simulator_finds_it(UNUSED void **state)
{
    sim_finds_from(90, sim_data_is_wrong); // one is not far from here
}

TEST_MAIN(cmocka_unit_test(test_simulator_finds_it))
