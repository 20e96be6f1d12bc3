// SPDX-License-Identifier: Apache-2.0
// Exactly once under every order, crash, lost answer and late effect that a seed makes.
//   SIM_SEEDS=100000  so many schedules
//   SIM_SEED=17       that one alone, with its trace
// test: build release
// test: quick
#include "test.h"

#include <inttypes.h>

#include "base/log.h"
#include "sim/sim_world.h"

static void fail_with_trace(uint64_t seed)
{
    static struct sim_world world;
    bool ok = sim_world_run(&world, seed, true);
    size_t shown = getenv("SIM_SEED") ? SIZE_MAX : 20000;
    const char *trace = buf_cstr(&world.trace);
    size_t skipped = world.trace.n > shown ? world.trace.n - shown : 0;
    fprintf(stderr, "%s\n", trace + skipped);
    if (!ok)
        fail_msg("seed %" PRIu64 ": %s", seed, buf_cstr(&world.failure));
    sim_world_release(&world);
}

static void test_every_record_is_there_once(UNUSED void **state)
{
    static struct sim_world world;
    const char *one = getenv("SIM_SEED"), *many = getenv("SIM_SEEDS");
    uint64_t usual = getenv("TEST_LONG") ? 10000 : 2000;
    uint64_t n = many ? strtoull(many, NULL, 10) : usual;
    log_set_level(one ? LOG_DEBUG : LOG_ERROR);
    if (one) {
        fail_with_trace(strtoull(one, NULL, 10));
        return;
    }
    for (uint64_t seed = 1; seed <= n; seed++) {
        bool ok = sim_world_run(&world, seed, false);
        sim_world_release(&world);
        if (!ok)
            fail_with_trace(seed);
    }
}

TEST_MAIN(cmocka_unit_test(test_every_record_is_there_once))
