// SPDX-License-Identifier: Apache-2.0
// test: build release
// wrap: prepared_claim_is_likely publish_takes_prepared
// A claim that was prepared is published as it is, wherever the log has come to since:
// the simulator must find the damaged log.
#include "sim/sim_taken.h"

bool sim_prepares(UNUSED uint64_t seed)
{
    return true;
}

bool __wrap_prepared_claim_is_likely(const struct log_state *log);

bool __wrap_prepared_claim_is_likely(UNUSED const struct log_state *log)
{
    return true;
}

bool __wrap_publish_takes_prepared(struct publish *publish,
                                   const struct entry_maker *maker);

bool __wrap_publish_takes_prepared(struct publish *publish,
                                   UNUSED const struct entry_maker *maker)
{
    return sim_take_prepared(publish);
}

static void test_simulator_finds_it(UNUSED void **state)
{
    sim_finds(sim_log_is_damaged);
}

TEST_MAIN(cmocka_unit_test(test_simulator_finds_it))
