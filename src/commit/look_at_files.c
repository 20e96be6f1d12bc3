// SPDX-License-Identifier: Apache-2.0
#include "commit/publish.h"

// A file of its own: see tests/sim/test_sim_without_files_look.c.
enum status publish_look_at_files(struct publish *publish, bool *ret, struct err *err)
{
    struct storage *storage = &publish->patience->storage;
    const struct entry *entry = &publish->made.entry;
    *ret = true;
    for (size_t i = 0; *ret && i < entry->n_files; i++) {
        struct file_info info;
        enum status rc = storage->ops->stat(storage, entry->files[i].tmp, &info, err);
        if (rc != ST_OK && rc != ST_NOT_FOUND)
            return rc;
        *ret = rc == ST_OK && info.size == entry->files[i].bytes;
    }
    return ST_OK;
}
