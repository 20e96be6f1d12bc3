// SPDX-License-Identifier: Apache-2.0
// Patience over any storage, whose pauses are over at once: the clock jumps.
#ifndef TESTS_SIM_PATIENCE_H
#define TESTS_SIM_PATIENCE_H

#include "commit/patience.h"
#include "sim/sim_clock.h"

struct sim_patience {
    struct waiter waiter; // first member
    struct patience patience;
    struct sim_clock *clock;
    struct deadline deadline;
    struct engine_status status;
    int64_t paused_ms; // all of it
    bool is_called;    // somebody waits for what is done at leisure
};

// The clock and the storage are borrowed.
void sim_patience_init(struct sim_patience *sim, struct storage *storage,
                       struct sim_clock *clock, int64_t limit_ms);

#endif
