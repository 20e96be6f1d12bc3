// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"
#include "log/paths.h"
#include "work/coordinator_inside.h"

static bool is_made_of(const struct unit *unit, struct str path)
{
    for (size_t i = 0; i < unit->n_files; i++)
        if (str_eq(unit->files[i].tmp, path))
            return true;
    return false;
}

static bool is_awaited(const struct order_book *book, struct str path)
{
    for (size_t i = 0; i < book->n; i++)
        if (book->slots[i]->is_made && is_made_of(&book->slots[i]->unit, path))
            return true;
    return false;
}

static bool is_left(const struct coordinator *coordinator, const struct file_info *file)
{
    const struct coordinator_parts *parts = &coordinator->parts;
    int64_t age_ms = parts->env->ops->wall_ms(parts->env) - file->modified_ms;
    return !file->is_directory && age_ms / 2 > parts->order_ms;
}

static enum status sweep(struct coordinator *coordinator, struct err *err)
{
    AUTO(arena_release) struct arena arena = {0};
    struct storage *storage = coordinator->parts.storage;
    const char *writer = committer_writer(coordinator->committer);
    struct path folder = path_writer(str_of(writer));
    struct file_list list;
    enum status rc = storage->ops->list(storage, path_str(&folder), &arena, &list, err);
    if (rc != ST_OK)
        return rc == ST_NOT_FOUND ? ST_OK : rc;
    for (size_t i = 0; i < list.n; i++) {
        AUTO(buf_release) struct buf name = {0};
        buf_str(&name, list.items[i].name);
        struct path path = path_tmp(str_of(writer), buf_cstr(&name));
        if (!is_left(coordinator, &list.items[i]) ||
            is_awaited(&coordinator->book, path_str(&path)))
            continue;
        rc = storage->ops->remove(storage, path_str(&path), err);
        if (rc != ST_OK && rc != ST_NOT_FOUND)
            return rc;
        log_debug("%s: a try that nobody waits for has left it: removed", path.text);
    }
    return ST_OK;
}

void coordinator_sweep(struct coordinator *coordinator)
{
    const struct log_state *state = committer_state(coordinator->committer);
    int64_t now_ms = coordinator_ms(coordinator);
    struct err err;
    if (!coordinator->parts.storage->renames || state->n_pending > 0 ||
        !committer_has_claim(coordinator->committer) ||
        now_ms - coordinator->swept_ms < coordinator->parts.order_ms)
        return;
    coordinator->swept_ms = now_ms;
    if (sweep(coordinator, &err) != ST_OK)
        log_debug("%s", err.text); // another time
}
