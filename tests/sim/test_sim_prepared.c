// SPDX-License-Identifier: Apache-2.0
// As test_sim.c with workers that prepare their first claim: read the log, make the
// claim's entries and bring them into tmp before anybody gives them partitions. Every
// second seed they do so for all partitions also where several workers share them, so
// that many of these claims are wrong.
//   SIM_SEEDS=100000   so many schedules
//   SIM_SEED=17        that one alone, with its trace
// test: build release
// test: quick
// wrap: prepared_claim_is_likely publish_takes_prepared
#include "sim/sim_mutant.h"

#include <inttypes.h>

#include "commit/publish.h"

static bool is_bold;           // of the schedule that runs
static int n_taken, n_refused; // entries that lay ready

bool __real_prepared_claim_is_likely(const struct log_state *log);
bool __wrap_prepared_claim_is_likely(const struct log_state *log);

bool __wrap_prepared_claim_is_likely(const struct log_state *log)
{
    return is_bold || __real_prepared_claim_is_likely(log);
}

bool __real_publish_takes_prepared(struct publish *publish,
                                   const struct entry_maker *maker);
bool __wrap_publish_takes_prepared(struct publish *publish,
                                   const struct entry_maker *maker);

bool __wrap_publish_takes_prepared(struct publish *publish,
                                   const struct entry_maker *maker)
{
    bool is_ready = publish->prepared != NULL && publish->prepared->is_written;
    bool is_taken = __real_publish_takes_prepared(publish, maker);
    n_taken += is_taken;
    n_refused += is_ready && !is_taken;
    return is_taken;
}

bool sim_prepares(uint64_t seed)
{
    is_bold = seed % 2 == 1;
    return true;
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
    print_message("%d prepared entries were taken, %d were not\n", n_taken, n_refused);
    assert_in_range(n_taken, n / 2, INT32_MAX); // else this tries nothing
    assert_in_range(n_refused, n / 2, INT32_MAX);
}

TEST_MAIN(cmocka_unit_test(test_every_record_is_there_once))
