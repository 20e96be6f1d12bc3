// SPDX-License-Identifier: Apache-2.0
// test: build release
// A partition that is held back is looked at all the time instead of when its pause ends:
// the simulator must find a worker that spins.
#include "sim/sim_mutant.h"

#include "work/held.h"

int64_t real_until_due(const struct held *held, int64_t now_ms, int64_t most_ms);

#define held_until_due real_until_due
#include "work/held.c"
#undef held_until_due

int64_t held_until_due(const struct held *held, UNUSED int64_t now_ms, int64_t most_ms)
{
    return held->n ? 0 : most_ms;
}

static bool fails(struct sim_world *world)
{
    return sim_says(world, "polls in vain all the time");
}

static void test_simulator_finds_it(UNUSED void **state)
{
    sim_finds(fails);
}

TEST_MAIN(cmocka_unit_test(test_simulator_finds_it))
