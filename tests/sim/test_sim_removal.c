// SPDX-License-Identifier: Apache-2.0
// As test_sim.c, and old entries of the log are removed all the while.
// test: build release
#include "sim/sim_digest.h"
#include "sim/sim_mutant.h"
#include "sim/sim_small_buckets.h"

static void test_every_record_is_there_once(UNUSED void **state)
{
    const char *many = getenv("SIM_SEEDS");
    uint64_t usual = getenv("TEST_LONG") ? 10000 : 150;
    static struct sim_world world;
    log_set_level(LOG_ERROR);
    const char *one = getenv("SIM_SEED");
    uint64_t from = one ? strtoull(one, NULL, 10) : 1;
    uint64_t to = one ? from : many ? strtoull(many, NULL, 10) : usual;
    int64_t n_removed = 0;
    if (getenv("SIM_DIGEST")) {
        sim_show_digests(to);
        return;
    }
    for (uint64_t seed = from; seed <= to; seed++) {
        bool ok = sim_world_run(&world, seed, one != NULL);
        n_removed += world.n_entries_removed;
        if (one)
            fprintf(stderr, "%s\n", buf_cstr(&world.trace));
        if (!ok)
            fail_msg("seed %d: %s", (int)seed, buf_cstr(&world.failure));
        sim_world_release(&world);
    }
    print_message("%d entries removed\n", (int)n_removed);
    assert_true(one || n_removed > 0);
}

TEST_MAIN(cmocka_unit_test(test_every_record_is_there_once))
