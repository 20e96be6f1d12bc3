// SPDX-License-Identifier: Apache-2.0
#include "work/membership.h"

// A file of its own: see tests/sim/test_sim_without_late.c.
bool membership_goes_without(const struct membership *membership, int64_t now_ms)
{
    return membership->n_checked > 0 && now_ms >= membership->check_until_ms;
}
