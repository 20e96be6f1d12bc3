// SPDX-License-Identifier: Apache-2.0
// As test_sim.c, with workers that read by two or three hands each (SET workers), and one
// to four units under way while one is published.
// test: takes 30
// test: build release
// test: quick
#include "sim/sim_schedules.h"

int sim_hands(uint64_t seed)
{
    return 2 + (int)(seed % 2);
}

int sim_ahead(uint64_t seed)
{
    return 1 + (int)(seed / 2 % 4);
}

static void test_every_record_is_there_once(UNUSED void **state)
{
    sim_run_schedules(500, 10000);
}

TEST_MAIN(cmocka_unit_test(test_every_record_is_there_once))
