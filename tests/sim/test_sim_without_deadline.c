// SPDX-License-Identifier: Apache-2.0
// test: build release
// A worker that is told to stop sets no deadline for its committer and the calls of the
// storage: where that is slow, the simulator must find an end that comes too late.
#include "sim/sim_mutant.h"

#include "work/worker_inside.h"

#define deadline_set(deadline, at_ms) ((void)(deadline), (void)(at_ms))
#include "work/worker.c"

static bool fails(struct sim_world *world)
{
    return sim_says(world, "ms ago and goes on");
}

static void test_simulator_finds_it(UNUSED void **state)
{
    sim_finds(fails);
}

TEST_MAIN(cmocka_unit_test(test_simulator_finds_it))
