// SPDX-License-Identifier: Apache-2.0
// test: build release
// wrap: forecast_is_alone prepared_is_last publish_takes_prepared
// The chain is not dropped when the log is not as it was foretold, and its entries are
// published as they are: the simulator must find the damaged log.
#include "sim/sim_mutant.h"

#include "sim/sim_bold.h"

bool __wrap_forecast_is_alone(const struct forecast *forecast, struct str writer);

bool __wrap_forecast_is_alone(UNUSED const struct forecast *forecast,
                              UNUSED struct str writer)
{
    return true;
}

bool __real_prepared_is_last(const struct prepared_entry *prepared,
                             const struct log_state *log);
bool __wrap_prepared_is_last(const struct prepared_entry *prepared,
                             const struct log_state *log);

bool __wrap_prepared_is_last(const struct prepared_entry *prepared,
                             const struct log_state *log)
{
    return prepared != NULL || __real_prepared_is_last(prepared, log);
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
