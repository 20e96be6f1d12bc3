// SPDX-License-Identifier: Apache-2.0
// test: build release
// A commit needs no claim of its own, only offsets that follow on the log: the simulator
// must find lost data, as the files of who was superseded are removed.
#include "sim/sim_mutant.h"

#define strcmp(a, b) ((void)(a), (void)(b), 0) // of writers
#include "engine/publish.c"

static void test_simulator_finds_it(UNUSED void **state)
{
    sim_finds(sim_data_is_wrong);
}

TEST_MAIN(cmocka_unit_test(test_simulator_finds_it))
