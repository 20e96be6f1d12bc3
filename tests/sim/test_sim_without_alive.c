// SPDX-License-Identifier: Apache-2.0
// test: build release
// wrap: answer_decode
// A coordinator takes a driver that hangs for alive: the simulator must find that it does
// not end.
#include "test.h"

#include "base/log.h"
#include "log/order.h"
#include "sim/sim_units.h"

enum {
    SCHEDULES_MAX = 300
};

enum status __real_answer_decode(struct str line, struct answer *ret, struct err *err);
enum status __wrap_answer_decode(struct str line, struct answer *ret, struct err *err);

enum status __wrap_answer_decode(struct str line, struct answer *ret, struct err *err)
{
    TRY(__real_answer_decode(line, ret, err));
    if (ret->kind == ANSWER_ALIVE)
        ret->number = INT64_MAX / 2;
    return ST_OK;
}

static void test_simulator_finds_it(UNUSED void **state)
{
    struct sim_units_report report = {0};
    AUTO(buf_release) struct buf failure = {0};
    bool is_found = false;
    log_set_level(LOG_ERROR + 1);
    for (uint64_t seed = 1; seed <= SCHEDULES_MAX && !is_found; seed++)
        is_found = !sim_units_run(seed, &report, &failure) &&
                   strstr(buf_cstr(&failure), "outlives its driver") != NULL;
    print_message("%.300s\n", buf_cstr(&failure));
    assert_true(is_found);
}

TEST_MAIN(cmocka_unit_test(test_simulator_finds_it))
