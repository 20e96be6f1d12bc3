// SPDX-License-Identifier: Apache-2.0
#include "engine/log_read.h"

enum status log_is_same(struct storage *storage, const struct log_state *state, bool *ret,
                        struct err *err)
{
    struct arena arena AUTO(arena_release) = {0};
    struct entry newest;
    *ret = state->next == 0;
    if (*ret)
        return ST_OK;
    enum status rc = log_read(storage, state->next - 1, &arena, &newest, err);
    if (rc != ST_OK && rc != ST_NOT_FOUND)
        return rc;
    *ret = rc == ST_OK && strcmp(newest.checksum, state->last_checksum) == 0;
    return ST_OK;
}
