// SPDX-License-Identifier: Apache-2.0
#include "engine/abandon.h"

void abandon_start(struct abandon *abandon)
{
    *abandon = (struct abandon){0};
}

static enum status remove_path(struct publish *publish, struct str path, struct err *err)
{
    enum status rc = publish->storage->ops->remove(publish->storage, path, err);
    return rc == ST_NOT_FOUND ? ST_OK : rc;
}

static enum status step_source(struct abandon *abandon, struct publish *publish,
                               struct err *err)
{
    if (publish->source.text[0])
        TRY(remove_path(publish, path_str(&publish->source), err));
    abandon->phase = ABANDON_READ;
    return ST_OK;
}

static enum status step_read(struct abandon *abandon, struct publish *publish,
                             struct err *err)
{
    struct arena arena AUTO(arena_release) = {0};
    struct entry entry;
    bool mine = false;
    enum status rc = publish->bytes.n == 0
                         ? ST_NOT_FOUND // no entry was made
                         : publish_read_back(publish, &arena, &entry, &mine, err);
    if (rc != ST_OK && rc != ST_NOT_FOUND)
        return rc;
    abandon->is_published = mine;
    abandon->phase = mine ? ABANDON_END : ABANDON_FOLDER;
    if (mine && publish->state->next == entry.number)
        return log_state_apply(publish->state, &entry, err);
    return ST_OK;
}

static enum status step_folder(struct abandon *abandon, struct publish *publish,
                               struct err *err)
{
    struct path folder = path_writer(str_of(publish->writer));
    TRY(remove_path(publish, path_str(&folder), err));
    abandon->phase = ABANDON_END;
    return ST_OK;
}

enum status abandon_step(struct abandon *abandon, struct publish *publish,
                         struct err *err)
{
    switch (abandon->phase) {
    case ABANDON_SOURCE:
        return step_source(abandon, publish, err);
    case ABANDON_READ:
        return step_read(abandon, publish, err);
    case ABANDON_FOLDER:
        return step_folder(abandon, publish, err);
    case ABANDON_END:
        break;
    }
    return ST_OK;
}
