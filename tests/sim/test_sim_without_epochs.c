// SPDX-License-Identifier: Apache-2.0
// test: takes 30
// test: build release
// wrap: membership_starts
// A stream is started without the epochs that the log knows: when the log of a partition
// is cut back between the look at the topic and the first record, the simulator must find
// that what came in the place of records is left out.
#include "sim/sim_mutant.h"

#include "work/membership.h"

struct stream_start *__real_membership_starts(const struct membership *membership,
                                              struct arena *arena);
struct stream_start *__wrap_membership_starts(const struct membership *membership,
                                              struct arena *arena);

struct stream_start *__wrap_membership_starts(const struct membership *membership,
                                              struct arena *arena)
{
    struct stream_start *starts = __real_membership_starts(membership, arena);
    for (size_t i = 0; i < membership->n; i++)
        starts[i].epoch = (struct leader_epoch){0};
    return starts;
}

static bool fails(struct sim_world *world)
{
    return sim_data_is_wrong(world) || sim_says(world, "reads on in another topic");
}

static void test_simulator_finds_it(UNUSED void **state)
{
    sim_finds_from(2520, fails); // rare; one is not far from here
}

TEST_MAIN(cmocka_unit_test(test_simulator_finds_it))
