// SPDX-License-Identifier: Apache-2.0
#include "log/log_back.h"

#include "log/commit_log.h"
#include "log/log_read.h"

enum status log_none(const struct storage *storage, struct err *err)
{
    return err_set(err, ST_FAIL,
                   "there is no commit log in %s; has tramline run ever committed?",
                   storage->url);
}

enum status log_back(struct storage *storage,
                     enum status (*each)(void *context, const struct entry *entry,
                                         struct err *err),
                     void *context, int64_t *ret_first, struct err *err)
{
    int64_t end;
    TRY(log_find_end(storage, &end, err));
    if (end == 0)
        return log_none(storage, err);
    *ret_first = end;
    for (int64_t number = end - 1; number >= 0; number--) {
        struct arena arena AUTO(arena_release) = {0};
        struct entry entry;
        enum status rc = log_read(storage, number, &arena, &entry, err);
        if (rc == ST_NOT_FOUND)
            return ST_OK;
        TRY(rc);
        *ret_first = number;
        rc = each(context, &entry, err);
        if (rc != ST_OK)
            return rc == ST_STOP ? ST_OK : rc;
    }
    return ST_OK;
}
