// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_patience.h"

static void jump(struct waiter *waiter, struct wait wait)
{
    struct sim_patience *sim = (struct sim_patience *)waiter;
    sim->paused_ms += wait.until_ms - sim->clock->now_ms;
    sim->clock->now_ms = wait.until_ms;
}

static bool is_called(void *context)
{
    return ((struct sim_patience *)context)->is_called;
}

void sim_patience_init(struct sim_patience *sim, struct storage *storage,
                       struct sim_clock *clock, int64_t limit_ms)
{
    *sim = (struct sim_patience){.waiter = {jump}, .clock = clock};
    patience_init(&sim->patience, &(struct patience_parts){
                                      .storage = storage,
                                      .env = &clock->env,
                                      .waiter = &sim->waiter,
                                      .deadline = &sim->deadline,
                                      .status = &sim->status,
                                      .limit_ms = limit_ms,
                                      .is_called = is_called,
                                      .context = sim,
                                  });
}
