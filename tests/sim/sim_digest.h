// SPDX-License-Identifier: Apache-2.0
// A schedule in 64 digits: all its calls with their times and answers, and every byte
// that lies in its storage at the end. Two builds whose digests are equal do the same.
#ifndef TESTS_SIM_DIGEST_H
#define TESTS_SIM_DIGEST_H

#include "base/hash.h"
#include "sim/sim_world.h"

// Of a world that has run and is traced.
void sim_digest(struct sim_world *world, char ret[SHA256_HEX]);

#endif
