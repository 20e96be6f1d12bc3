// SPDX-License-Identifier: Apache-2.0
// test: build release
// wrap: log_state_snapshot
// Snapshots do not list the entries whose renames were not seen done: the simulator must
// find files that stay invisible.
#include "sim/sim_mutant.h"

#include "log/log_state.h"

struct snapshot __real_log_state_snapshot(const struct log_state *state,
                                          struct arena *arena);
struct snapshot __wrap_log_state_snapshot(const struct log_state *state,
                                          struct arena *arena);

struct snapshot __wrap_log_state_snapshot(const struct log_state *state,
                                          struct arena *arena)
{
    struct snapshot snapshot = __real_log_state_snapshot(state, arena);
    snapshot.n_pending = 0;
    return snapshot;
}

// It is rare, and those with few events rarer. These begin where one is near.
static void test_simulator_finds_it(UNUSED void **state)
{
    sim_finds_from(SIM_SEED_DEATHS + 5270, sim_data_is_wrong);
}

TEST_MAIN(cmocka_unit_test(test_simulator_finds_it))
