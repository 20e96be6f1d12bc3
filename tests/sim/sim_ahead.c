// SPDX-License-Identifier: Apache-2.0
// One unit is uploaded while another is published, or as many as SIM_AHEAD says; a
// program may define it again.
#include "sim/sim_world.h"

#include <stdlib.h>

int sim_ahead(UNUSED uint64_t seed)
{
    const char *ahead = getenv("SIM_AHEAD");
    return ahead != NULL ? atoi(ahead) : 1;
}
