// SPDX-License-Identifier: Apache-2.0
// test: build release
// wrap: order_is_next
// Units are committed as they come, not in the order of the log. The committer takes none
// that does not follow on it, so nothing is lost: the simulator must find that work is
// dropped and done again where nothing has failed.
#include "test.h"

#include "base/log.h"
#include "sim/sim_units.h"
#include "work/order_book.h"

enum {
    SCHEDULES_MAX = 300
};

bool __wrap_order_is_next(const struct unit *unit, const struct log_state *state);

bool __wrap_order_is_next(UNUSED const struct unit *unit,
                          UNUSED const struct log_state *state)
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
        is_found =
            !sim_units_run(seed, &report, &failure) &&
            strstr(buf_cstr(&failure), "orders and commits without faults: ") != NULL;
    print_message("%.300s\n", buf_cstr(&failure));
    assert_true(is_found);
}

TEST_MAIN(cmocka_unit_test(test_simulator_finds_it))
