// SPDX-License-Identifier: Apache-2.0
// Is the result what the topic held, exactly once? Looks at the files themselves, then
// asks verify for its opinion.
#ifndef TESTS_SIM_CHECK_H
#define TESTS_SIM_CHECK_H

#include "sim/sim_world.h"

// Whether the log knows a record of some partition, of all of them.
void sim_check_marks(struct sim_world *world, bool *ret_any, bool *ret_all);
void sim_check(struct sim_world *world);

#endif
