// SPDX-License-Identifier: Apache-2.0
// A schedule in 64 digits: all its calls with their times and answers, and every byte
// that lies in its storage at the end. Two builds whose digests are equal do the same:
//   SIM_DIGEST=1 SIM_SEEDS=20000 test_sim
#ifndef TESTS_SIM_DIGEST_H
#define TESTS_SIM_DIGEST_H

#include "sim/sim_world.h"

// Prints seed and digest of the schedules from 1 to n.
void sim_show_digests(uint64_t n);

#endif
