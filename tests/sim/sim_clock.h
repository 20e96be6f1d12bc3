// SPDX-License-Identifier: Apache-2.0
// Time and chance of a schedule as the engine sees them. Time moves only when told.
#ifndef TESTS_SIM_CLOCK_H
#define TESTS_SIM_CLOCK_H

#include "core/env.h"
#include "sim/sim_random.h"

#define SIM_EPOCH_MS INT64_C(1790000000000) // wall time when a schedule begins

struct sim_clock {
    struct env env;
    int64_t now_ms;
    struct sim_random random;
};

void sim_clock_init(struct sim_clock *clock, uint64_t seed);

#endif
