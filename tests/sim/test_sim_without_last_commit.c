// SPDX-License-Identifier: Apache-2.0
// test: build release
// A worker that is told to stop drops what it has read: the simulator must find that it
// is read again.
#include "sim/sim_mutant.h"

#include "work/worker_inside.h"

void real_begin_stop(struct worker *worker);

#define worker_begin_stop real_begin_stop
#include "work/worker_acts.c"
#undef worker_begin_stop

void worker_begin_stop(struct worker *worker)
{
    worker_drop_work(worker);
    real_begin_stop(worker);
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
