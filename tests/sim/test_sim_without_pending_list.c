// SPDX-License-Identifier: Apache-2.0
// test: build release
// Snapshots do not list the entries whose renames were not seen done: the simulator must
// find files that stay invisible.
#include "sim/sim_mutant.h"

#include "engine/log_state.h"

struct snapshot log_state_snapshot(const struct log_state *state, struct arena *arena)
{
    struct snapshot snapshot = {
        .partitions = log_state_progress(state, arena),
        .n_partitions = state->n_partitions,
        .writers = arena_array(arena, state->n_writers, sizeof(struct str)),
        .n_writers = state->n_writers,
    };
    for (size_t i = 0; i < state->n_writers; i++)
        snapshot.writers[i] = arena_str(arena, str_of(state->writers[i].uuid));
    return snapshot;
}

static void test_simulator_finds_it(UNUSED void **state)
{
    sim_finds_from(SIM_SEED_DEATHS, sim_data_is_wrong);
}

TEST_MAIN(cmocka_unit_test(test_simulator_finds_it))
