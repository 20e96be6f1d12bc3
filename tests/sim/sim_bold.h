// SPDX-License-Identifier: Apache-2.0
// The same with several units under way.
#ifndef TESTS_SIM_BOLD_H
#define TESTS_SIM_BOLD_H

#include "sim/sim_taken.h"

int sim_ahead(UNUSED uint64_t seed)
{
    return 4;
}

#endif
