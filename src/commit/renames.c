// SPDX-License-Identifier: Apache-2.0
#include "commit/renames.h"

#include <inttypes.h>

#include "base/log.h"
#include "log/log_read.h"
#include "log/paths.h"

static enum status make_parent(struct storage *storage, const struct entry_file *file,
                               struct path *made, struct err *err)
{
    struct path parent = path_parent(file->name);
    if (parent.text[0] == '\0' || strcmp(parent.text, made->text) == 0)
        return ST_OK;
    enum status rc = storage->ops->mkdir(storage, path_str(&parent), err);
    if (rc != ST_OK && rc != ST_EXISTS)
        return rc;
    *made = parent;
    return ST_OK;
}

// The rename did not find what it wanted: was it done before?
static enum status check_target(struct storage *storage, const struct entry *entry,
                                const struct entry_file *file, struct err *err)
{
    struct file_info info;
    enum status rc = storage->ops->stat(storage, file->name, &info, err);
    if (rc == ST_OK && info.size == file->bytes)
        return ST_OK;
    if (rc != ST_OK && rc != ST_NOT_FOUND)
        return rc;
    // Not an error: data may be taken away on purpose, and stopping would not bring it
    // back. verify tells.
    log_warn("entry %" PRId64 ": %s/%.*s %s; tramline verify tells more", entry->number,
             storage->url, STR_ARGS(file->name),
             rc == ST_OK ? "has another size than the log says"
                         : "is neither in tmp nor at its place");
    return ST_OK;
}

static enum status rename_file(struct patience *patience, const struct entry *entry,
                               const struct entry_file *file, struct err *err)
{
    struct storage *storage = &patience->storage;
    enum status rc;
    do
        rc = storage->ops->publish(storage, file->tmp, file->name, err);
    while (patience_again(patience, &rc, err));
    if (rc == ST_NOT_FOUND || rc == ST_EXISTS)
        return check_target(storage, entry, file, err);
    return rc;
}

enum status rename_files(struct patience *patience, const struct entry *entry,
                         struct err *err)
{
    struct path made_parent = {0};
    for (size_t i = 0; i < entry->n_files; i++) {
        const struct entry_file *file = &entry->files[i];
        if (str_eq(file->tmp, file->name))
            continue; // made at its place
        TRY(make_parent(&patience->storage, file, &made_parent, err));
        TRY(rename_file(patience, entry, file, err));
    }
    return ST_OK;
}

enum status rename_pending(struct patience *patience, struct log_state *state,
                           struct err *err)
{
    while (state->n_pending) {
        int64_t number = state->pending[0];
        struct arena arena AUTO(arena_release) = {0};
        struct entry entry;
        enum status rc = log_read(&patience->storage, number, &arena, &entry, err);
        if (rc == ST_OK)
            rc = rename_files(patience, &entry, err);
        else if (rc == ST_NOT_FOUND) // old entries go only when their renames are done
            rc = ST_OK;
        TRY(rc);
        log_state_renamed(state, number);
    }
    return ST_OK;
}
