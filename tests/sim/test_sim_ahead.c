// SPDX-License-Identifier: Apache-2.0
// As test_sim.c with several units under way at a time: 2, 3 or 4 while one is published.
// Every second seed entries are made beforehand also where several workers share the
// partitions, so that many forecasts are wrong.
//   SIM_SEEDS=100000   so many schedules
//   SIM_SEED=17        that one alone, with its trace
// test: build release
// test: quick
// wrap: forecast_is_alone
#include "sim/sim_mutant.h"

#include <inttypes.h>

#include "commit/forecast.h"

static bool is_bold; // of the schedule that runs

bool __real_forecast_is_alone(const struct forecast *forecast, struct str writer);
bool __wrap_forecast_is_alone(const struct forecast *forecast, struct str writer);

bool __wrap_forecast_is_alone(const struct forecast *forecast, struct str writer)
{
    return is_bold || __real_forecast_is_alone(forecast, writer);
}

int sim_ahead(uint64_t seed)
{
    is_bold = seed % 2 == 1;
    return 2 + (int)(seed / 2 % 3);
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
    uint64_t usual = getenv("TEST_LONG") ? 20000 : 1500;
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
