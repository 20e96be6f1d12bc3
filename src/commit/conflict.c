// SPDX-License-Identifier: Apache-2.0
#include "commit/replay.h"

// Somebody else has claimed the partition, or it does not stand where the work begins;
// for a claim: it was touched since it was looked at.
static bool is_taken(const struct publish *publish, const struct span *span)
{
    const struct log_partition *partition =
        log_state_find(publish->state, span->partition);
    if (publish->work->kind == ENTRY_COMMIT)
        return partition == NULL || partition->next != span->first ||
               !log_state_is_claimed_by(partition, publish->writer);
    return partition != NULL && partition->touched >= publish->work->base;
}

// A file of its own: see tests/sim/test_sim_without_chain_order.c.
bool publish_is_conflict(const struct publish *publish)
{
    if (publish->work->kind == ENTRY_JOB)
        return publish->state->next > 0;
    if (publish->work->kind == ENTRY_REPLAY)
        return replay_is_taken(publish);
    for (size_t i = 0; i < publish->work->n_spans; i++)
        if (is_taken(publish, &publish->work->spans[i]))
            return true;
    return false;
}
