// SPDX-License-Identifier: Apache-2.0
// test: build release
// wrap: worker_hands_rest
// A worker lets its partitions go, or ends, before its hands have handed over what they
// have read: the simulator must find that it is read again.
#include "sim/sim_mutant.h"

#include "work/worker_inside.h"

int sim_hands(UNUSED uint64_t seed)
{
    return 2;
}

bool __wrap_worker_hands_rest(const struct worker *worker);

bool __wrap_worker_hands_rest(UNUSED const struct worker *worker)
{
    return true;
}

static bool fails(struct sim_world *world)
{
    return sim_says(world, "is read again");
}

static void test_simulator_finds_it(UNUSED void **state)
{
    sim_finds(fails);
}

TEST_MAIN(cmocka_unit_test(test_simulator_finds_it))
