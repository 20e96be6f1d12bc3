// SPDX-License-Identifier: Apache-2.0
#include "commit/replay.h"

enum {
    NUMBERS_MAX = 10000 // some minutes
};

enum status replay_check_numbers(const struct publish *publish, int n, struct err *err)
{
    if (publish->work->kind != ENTRY_REPLAY || n < NUMBERS_MAX)
        return ST_OK;
    return err_set(err, ST_FAIL,
                   "nothing of this replay was committed: others took %d numbers of the "
                   "log before it; say it again when the job has caught up",
                   n);
}

bool replay_is_taken(const struct publish *publish)
{
    return publish->state->last_replay >= publish->work->base;
}
