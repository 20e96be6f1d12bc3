// SPDX-License-Identifier: Apache-2.0
// A worker reads by itself, or by as many hands as SIM_HANDS says; a program may define
// it again.
#include "sim/sim_world.h"

#include <stdlib.h>

int sim_hands(UNUSED uint64_t seed)
{
    const char *hands = getenv("SIM_HANDS");
    return hands != NULL ? atoi(hands) : 0;
}
