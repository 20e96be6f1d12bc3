// SPDX-License-Identifier: Apache-2.0
// test: build release
// Units made in other processes, of which all die, come late, twice or never: each record
// gives its rows once. SIM_SEEDS for more schedules, SIM_SEED for one.
#include "test.h"

#include "base/log.h"
#include "sim/sim_units.h"

enum {
    SCHEDULES = 60
};

static uint64_t number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static void test_each_record_gives_its_rows_once(UNUSED void **state)
{
    struct sim_units_report report = {0};
    AUTO(buf_release) struct buf failure = {0};
    uint64_t one = number("SIM_SEED", 0), n = number("SIM_SEEDS", SCHEDULES);
    log_set_level(LOG_ERROR + 1);
    for (uint64_t seed = one ? one : 1; seed <= (one ? one : n); seed++)
        if (!sim_units_run(seed, &report, &failure))
            fail_msg("seed %d: %.500s", (int)seed, buf_cstr(&failure));
    print_message("%d orders, %d answers, %d commits, %d doubled, %d lost, %d deaths, %d "
                  "superseded, %d plain workers, %d merged, %d hung, %d stopped\n",
                  report.n_orders, report.n_units, report.n_commits, report.n_doubled,
                  report.n_lost, report.n_deaths, report.n_superseded, report.n_plain,
                  report.n_merged, report.n_hung, report.n_stopped);
    if (one == 0) { // all of it happens
        assert_true(report.n_commits > 10 * (int)n && report.n_doubled > (int)n);
        assert_true(report.n_lost > (int)n && report.n_deaths > (int)n);
        assert_true(report.n_merged > (int)n && report.n_hung > 0 &&
                    report.n_stopped > 0);
        assert_true(report.n_superseded > (int)n && report.n_plain > (int)n);
    }
}

TEST_MAIN(cmocka_unit_test(test_each_record_gives_its_rows_once))
