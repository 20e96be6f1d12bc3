// SPDX-License-Identifier: Apache-2.0
// test: build release
// wrap: log_state_check_topic
// What was read by another id of the topic than the log's is published as well: when the
// topic is recreated so that no record tells, the simulator must find rows of the other
// one.
#include "sim/sim_mutant.h"

#include "log/log_state.h"

enum status __wrap_log_state_check_topic(const struct log_state *state, struct str topic,
                                         struct str id, struct err *err);

enum status __wrap_log_state_check_topic(UNUSED const struct log_state *state,
                                         UNUSED struct str topic, UNUSED struct str id,
                                         UNUSED struct err *err)
{
    return ST_OK;
}

static void test_simulator_finds_it(UNUSED void **state)
{
    sim_finds_from(3280, sim_data_is_wrong); // rare; one is not far from here
}

TEST_MAIN(cmocka_unit_test(test_simulator_finds_it))
