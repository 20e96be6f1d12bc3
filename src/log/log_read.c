// SPDX-License-Identifier: Apache-2.0
#include "log/log_read.h"

#include <stdio.h>

#include "log/paths.h"

// Nothing of such an entry is followed. What to do is the same for all of them.
static enum status refuse(struct err *err)
{
    char why[1800];
    snprintf(why, sizeof(why), "%s", err->text);
    return err_set(
        err, ST_DATA,
        "%s; nothing of it was followed: put the entry back as it was, or start "
        "over with tramline init --reset",
        why);
}

enum status log_read(struct storage *storage, int64_t number, struct arena *arena,
                     struct entry *ret, struct err *err)
{
    struct path path = path_entry(number);
    struct buf bytes AUTO(buf_release) = {0};
    enum status rc =
        storage_read_all(storage, path_str(&path), ENTRY_BYTES_MAX, &bytes, err);
    if (rc == ST_LIMIT)
        return refuse(err);
    TRY(rc);
    rc = entry_decode(buf_as_str(&bytes), arena, ret, err);
    if (rc == ST_OK)
        rc = entry_check(ret, number, err);
    if (rc == ST_OK)
        return ST_OK;
    (void)err_context(err, rc, "%s/%s", storage->url, path.text);
    return refuse(err);
}

enum status log_exists(struct storage *storage, struct str path, bool *ret,
                       struct err *err)
{
    struct file_info info;
    enum status rc = storage->ops->stat(storage, path, &info, err);
    if (rc != ST_OK && rc != ST_NOT_FOUND)
        return rc;
    *ret = rc == ST_OK;
    return ST_OK;
}

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
