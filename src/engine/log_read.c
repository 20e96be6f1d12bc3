// SPDX-License-Identifier: Apache-2.0
#include "engine/log_read.h"

#include "engine/paths.h"

enum status log_read(struct storage *storage, int64_t number, struct arena *arena,
                     struct entry *ret, struct err *err)
{
    struct path path = path_entry(number);
    struct buf bytes AUTO(buf_release) = {0};
    TRY(storage_read_all(storage, path_str(&path), ENTRY_BYTES_MAX, &bytes, err));
    enum status rc = entry_decode(buf_as_str(&bytes), arena, ret, err);
    if (rc != ST_OK)
        return err_context(err, rc, "%s/%s", storage->url, path.text);
    return ST_OK;
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
