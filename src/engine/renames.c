// SPDX-License-Identifier: Apache-2.0
#include "engine/renames.h"

#include <inttypes.h>

#include "base/log.h"
#include "engine/log_read.h"

static enum status make_parent(struct renames *renames, struct storage *storage,
                               const struct entry_file *file, struct err *err)
{
    struct path parent = path_parent(file->name);
    if (parent.text[0] == '\0' || strcmp(parent.text, renames->made_parent.text) == 0)
        return ST_OK;
    enum status rc = storage->ops->mkdir(storage, path_str(&parent), err);
    if (rc != ST_OK && rc != ST_EXISTS)
        return rc;
    renames->made_parent = parent;
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

enum status renames_step(struct renames *renames, struct storage *storage,
                         const struct entry *entry, bool *ret_done, struct err *err)
{
    *ret_done = renames->n_done == entry->n_files;
    if (*ret_done)
        return ST_OK;
    const struct entry_file *file = &entry->files[renames->n_done];
    TRY(make_parent(renames, storage, file, err));
    enum status rc = storage->ops->publish(storage, file->tmp, file->name, err);
    if (rc == ST_NOT_FOUND || rc == ST_EXISTS)
        rc = check_target(storage, entry, file, err);
    TRY(rc);
    renames->n_done++;
    return ST_OK;
}

static enum status settle_load(struct settle *settle, struct storage *storage,
                               struct log_state *state, struct err *err)
{
    int64_t number = state->pending[0];
    arena_clear(&settle->arena);
    enum status rc = log_read(storage, number, &settle->arena, &settle->entry, err);
    if (rc == ST_NOT_FOUND) { // old entries are removed only when their renames are done
        log_state_renamed(state, number);
        return ST_OK;
    }
    TRY(rc);
    settle->number = number;
    settle->renames = (struct renames){0};
    return ST_OK;
}

enum status settle_step(struct settle *settle, struct storage *storage,
                        struct log_state *state, bool *ret_done, struct err *err)
{
    *ret_done = state->n_pending == 0;
    if (*ret_done)
        return ST_OK;
    if (settle->number != state->pending[0])
        return settle_load(settle, storage, state, err);
    bool renamed;
    TRY(renames_step(&settle->renames, storage, &settle->entry, &renamed, err));
    if (renamed) {
        log_state_renamed(state, settle->number);
        settle->number = 0;
    }
    return ST_OK;
}

void settle_release(struct settle *settle)
{
    arena_release(&settle->arena);
    *settle = (struct settle){0};
}
