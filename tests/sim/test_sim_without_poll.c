// SPDX-License-Identifier: Apache-2.0
// test: build release
// A worker that waits for an answer of the topic does not poll: the simulator must find a
// member that is out.
#include "sim/sim_mutant.h"

#include "work/worker_inside.h"

enum status real_poll_held(struct worker *worker, int64_t timeout_ms, struct err *err);

#define worker_poll_held real_poll_held
#include "work/worker_events.c"
#undef worker_poll_held

enum status worker_poll_held(struct worker *worker, int64_t timeout_ms, struct err *err)
{
    if (worker->phase == WORKER_ASSIGN)
        return ST_OK;
    return real_poll_held(worker, timeout_ms, err);
}

static bool fails(struct sim_world *world)
{
    return sim_says(world, "it is not a member any more");
}

static void test_simulator_finds_it(UNUSED void **state)
{
    sim_finds(fails);
}

TEST_MAIN(cmocka_unit_test(test_simulator_finds_it))
