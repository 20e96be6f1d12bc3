// SPDX-License-Identifier: Apache-2.0
// test: build release
// A partition that is held back is looked at all the time instead of when its pause ends:
// the simulator must find a worker that spins.
#include "sim/sim_mutant.h"

#include "work/held.h"

int64_t real_next_ms(const struct held *held);

#define held_next_ms real_next_ms
#include "work/held.c"
#undef held_next_ms

int64_t held_next_ms(const struct held *held)
{
    return held->n ? 0 : INT64_MAX;
}

static bool fails(struct sim_world *world)
{
    return sim_says(world, "polls in vain all the time");
}

static void test_simulator_finds_it(UNUSED void **state)
{
    sim_finds_from(320, fails); // one is not far from here
}

TEST_MAIN(cmocka_unit_test(test_simulator_finds_it))
