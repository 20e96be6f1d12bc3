// SPDX-License-Identifier: Apache-2.0
// test: build release
// wrap: membership_goes_without
// All partitions are waited for when they are assigned: while one has no leader, the
// simulator must find that the others are not read either.
#include "sim/sim_mutant.h"

#include "work/membership.h"

bool __wrap_membership_goes_without(const struct membership *membership, int64_t now_ms);

bool __wrap_membership_goes_without(UNUSED const struct membership *membership,
                                    UNUSED int64_t now_ms)
{
    return false;
}

static bool fails(struct sim_world *world)
{
    return sim_says(world, "is held up");
}

static void test_simulator_finds_it(UNUSED void **state)
{
    sim_finds(fails);
}

TEST_MAIN(cmocka_unit_test(test_simulator_finds_it))
