// SPDX-License-Identifier: Apache-2.0
#include "work/assignment.h"

// A file of its own: see tests/sim/test_sim_without_late.c.
bool assignment_goes_without(const struct assignment *assignment, int64_t now_ms)
{
    return assignment->n_checked > 0 && now_ms >= assignment->check_until_ms;
}
