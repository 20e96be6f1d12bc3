// SPDX-License-Identifier: Apache-2.0
#include "commit/replay.h"

bool replay_is_taken(const struct publish *publish)
{
    return publish->state->last_replay >= publish->work->base;
}
