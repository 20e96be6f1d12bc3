// SPDX-License-Identifier: Apache-2.0
// Reduces a schedule that fails to the few events that matter (delta debugging): leaves
// out more and more of them, as long as it fails all the same.
#ifndef TESTS_SIM_REDUCE_H
#define TESTS_SIM_REDUCE_H

#include "sim/sim_world.h"

// Whether a world that has run shows the failure that is looked for.
typedef bool sim_fails_fn(struct sim_world *world);

struct sim_kept {
    uint64_t seed;
    uint32_t *ids; // rising
    size_t n;
    size_t enough; // so few events need no further run
    int n_runs;    // that it took
};

// The schedule of `seed` fails. Reduces it to `enough` events, 0: to as few as there can
// be. Release with free(ret->ids).
void sim_reduce(uint64_t seed, size_t enough, sim_fails_fn *fails, struct sim_kept *ret);
// Runs only what was kept, shows its events, and says whether it fails.
bool sim_kept_fails(const struct sim_kept *kept, sim_fails_fn *fails);

#endif
