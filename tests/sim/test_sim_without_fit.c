// SPDX-License-Identifier: Apache-2.0
// test: build release
// wrap: units_fit
// All units of a trigger become one entry, whatever they hold, also two files of dead
// letters: the simulator must find that the log is none any more.
#include "test.h"

#include "base/log.h"
#include "sim/sim_units.h"
#include "work/merge_units.h"

enum {
    SCHEDULES_MAX = 300
};

bool __wrap_units_fit(const struct unit *first, bool has_dead, const struct unit *next);

bool __wrap_units_fit(UNUSED const struct unit *first, UNUSED bool has_dead,
                      UNUSED const struct unit *next)
{
    return true;
}

static void test_simulator_finds_it(UNUSED void **state)
{
    struct sim_units_report report = {0};
    AUTO(buf_release) struct buf failure = {0};
    bool is_found = false;
    log_set_level(LOG_ERROR + 1);
    for (uint64_t seed = 1; seed <= SCHEDULES_MAX && !is_found; seed++)
        is_found = !sim_units_run(seed, &report, &failure) &&
                   strstr(buf_cstr(&failure), "files of letters in one entry") != NULL;
    print_message("%.300s\n", buf_cstr(&failure));
    assert_true(is_found);
}

TEST_MAIN(cmocka_unit_test(test_simulator_finds_it))
