// SPDX-License-Identifier: Apache-2.0
// As test_sim.c, with workers that read by two or three hands each (SET workers), and one
// to four units under way while one is published.
//   SIM_SEEDS=100000   so many schedules
//   SIM_SEED=17        that one alone, with its trace
// test: build release
// test: quick
#include "sim/sim_mutant.h"

#include <inttypes.h>

int sim_hands(uint64_t seed)
{
    return 2 + (int)(seed % 2);
}

int sim_ahead(uint64_t seed)
{
    return 1 + (int)(seed / 2 % 4);
}

static bool fails(struct sim_world *world)
{
    return world->failure.n > 0;
}

static void run_one(uint64_t seed)
{
    static struct sim_world world;
    bool ok = sim_world_run(&world, seed, true);
    fprintf(stderr, "%s\n", buf_cstr(&world.trace));
    sim_world_release(&world);
    assert_true(ok);
}

static void test_every_record_is_there_once(UNUSED void **state)
{
    static struct sim_world world;
    const char *one = getenv("SIM_SEED"), *many = getenv("SIM_SEEDS");
    uint64_t usual = getenv("TEST_LONG") ? 10000 : 500;
    uint64_t n = many ? strtoull(many, NULL, 10) : usual;
    log_set_level(one ? LOG_DEBUG : LOG_ERROR);
    if (one) {
        run_one(strtoull(one, NULL, 10));
        return;
    }
    for (uint64_t seed = 1; seed <= n; seed++) {
        struct sim_kept few;
        bool ok = sim_world_run(&world, seed, false);
        sim_world_release(&world);
        if (ok)
            continue;
        sim_reduce(seed, fails, &few);
        (void)sim_kept_fails(&few, fails);
        fail_msg("seed %" PRIu64, seed);
    }
}

TEST_MAIN(cmocka_unit_test(test_every_record_is_there_once))
