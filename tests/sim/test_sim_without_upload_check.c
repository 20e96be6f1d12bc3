// SPDX-License-Identifier: Apache-2.0
// test: build release
// What lies at the storage is not compared with what was sent there: the simulator must
// find files that changed on their way.
#include "sim/sim_mutant.h"

#define checksum_eq(a, b) ((void)(a), (void)(b), true)
#include "engine/upload.c"

static void test_simulator_finds_it(UNUSED void **state)
{
    assert_int_not_equal(sim_first_failure(5000), 0);
}

TEST_MAIN(cmocka_unit_test(test_simulator_finds_it))
