// SPDX-License-Identifier: Apache-2.0
// As test_sim.c with several units under way at a time: 2, 3 or 4 while one is published.
// Every second seed entries are made beforehand also where several workers share the
// partitions, so that many forecasts are wrong.
// test: takes 30
// test: build release
// test: quick
// wrap: forecast_is_alone
#include "sim/sim_schedules.h"

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

static void test_every_record_is_there_once(UNUSED void **state)
{
    sim_run_schedules(1500, 20000);
}

TEST_MAIN(cmocka_unit_test(test_every_record_is_there_once))
