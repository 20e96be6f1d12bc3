// SPDX-License-Identifier: Apache-2.0
// No worker prepares its claim; a program may define it again.
#include "sim/sim_world.h"

bool sim_prepares(UNUSED uint64_t seed)
{
    return false;
}
