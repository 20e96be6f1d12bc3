// SPDX-License-Identifier: Apache-2.0
#include "commit/prepared_claim.h"

// A file of its own: see tests/sim/test_sim_prepared.c.
bool prepared_claim_is_likely(const struct log_state *log)
{
    for (size_t i = 1; i < log->n_partitions; i++)
        if (strcmp(log->partitions[i].writer, log->partitions[0].writer) != 0)
            return false;
    return true;
}
