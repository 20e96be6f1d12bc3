// SPDX-License-Identifier: Apache-2.0
#include "commit/publish.h"

enum {
    FAILURES_MAX = 5
};

static enum status remove_path(struct publish *publish, struct str path, struct err *err)
{
    struct storage *storage = &publish->patience->storage;
    enum status rc = storage->ops->remove(storage, path, err);
    return rc == ST_NOT_FOUND ? ST_OK : rc;
}

static enum status read_number(struct publish *publish, bool *ret_mine, struct err *err)
{
    struct arena arena AUTO(arena_release) = {0};
    struct entry entry;
    *ret_mine = false;
    if (publish->made.bytes.n == 0)
        return ST_OK; // no entry was made
    enum status rc = publish_read(publish, &arena, &entry, ret_mine, err);
    if (rc == ST_NOT_FOUND)
        return ST_OK;
    TRY(rc);
    if (*ret_mine && publish->state->next == entry.number)
        return log_state_apply(publish->state, &entry, err);
    return ST_OK;
}

static enum status remove_folder(struct publish *publish, struct err *err)
{
    struct path folder = path_writer(str_of(publish->writer));
    return remove_path(publish, path_str(&folder), err);
}

static enum status abandon(struct publish *publish, bool *ret, struct err *err)
{
    if (publish->source.text[0])
        TRY(remove_path(publish, path_str(&publish->source), err));
    bool is_mine;
    TRY(read_number(publish, &is_mine, err));
    *ret = is_mine;
    // Without renames an entry on its way may still appear, and needs its files.
    if (is_mine || !publish->patience->storage.renames)
        return ST_OK;
    return remove_folder(publish, err);
}

enum status publish_abandon(struct publish *publish, bool *ret, struct err *err)
{
    *ret = false;
    patience_attempt_times(publish->patience, FAILURES_MAX);
    enum status rc = abandon(publish, ret, err);
    patience_attempt_end(publish->patience);
    return rc;
}

enum status publish_remove_folder(struct publish *publish, struct err *err)
{
    patience_attempt_times(publish->patience, FAILURES_MAX);
    enum status rc = remove_folder(publish, err);
    patience_attempt_end(publish->patience);
    return rc;
}

enum status publish_remove_files(struct publish *publish, const struct unit *unit,
                                 const struct prepared_entry *prepared, struct err *err)
{
    enum status rc = ST_OK;
    patience_attempt_times(publish->patience, FAILURES_MAX);
    if (prepared != NULL && prepared->is_written)
        rc = remove_path(publish, path_str(&prepared->source), err);
    for (size_t i = 0; rc == ST_OK && i < unit->n_files; i++)
        if (unit->files[i].tmp.n > 0) // else it was not uploaded
            rc = remove_path(publish, unit->files[i].tmp, err);
    patience_attempt_end(publish->patience);
    return rc;
}
