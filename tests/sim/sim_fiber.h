// SPDX-License-Identifier: Apache-2.0
// Blocking code as an actor of the simulator: it runs on a stack of its own, and gives up
// its turn wherever it would wait or makes a call of a port. One thread.
#ifndef TESTS_SIM_FIBER_H
#define TESTS_SIM_FIBER_H

#include <stdbool.h>

struct sim_fiber;

// Nothing of it runs yet.
struct sim_fiber *sim_fiber_open(void (*fn)(void *context), void *context);
// Lets it run until it gives up its turn, or to its end; false: it has ended.
bool sim_fiber_resume(struct sim_fiber *fiber);
void sim_fiber_yield(struct sim_fiber *fiber); // from within
void sim_fiber_free(struct sim_fiber *fiber);  // that has ended, or never ran

#endif
