// SPDX-License-Identifier: Apache-2.0
// Is the result what the topic held, exactly once? Looks at the files themselves, then
// asks verify for its opinion.
#ifndef TESTS_SIM_CHECK_H
#define TESTS_SIM_CHECK_H

#include "sim/sim_world.h"

// How far each partition was read, where the log knows all of them and the topic's id.
bool sim_check_read_to(struct sim_world *world, int64_t ret[SIM_PARTITIONS_MAX]);
// What the log has read of that partition has been cut away since.
bool sim_check_is_lost(struct sim_world *world, int32_t partition);
// Whether the log knows a record of some partition, of all of them.
void sim_check_marks(struct sim_world *world, bool *ret_any, bool *ret_all);
void sim_check(struct sim_world *world);

#endif
