// SPDX-License-Identifier: Apache-2.0
#include "log/reset.h"

#include <stdio.h>

#include "log/paths.h"

struct reset {
    struct storage *storage;
    struct reset_report *report;
};

static enum status list(const struct reset *reset, struct str path, struct arena *arena,
                        struct file_list *ret, struct err *err)
{
    enum status rc = reset->storage->ops->list(reset->storage, path, arena, ret, err);
    return rc == ST_NOT_FOUND ? ST_OK : rc;
}

static enum status remove_one(const struct reset *reset, struct str path, struct err *err)
{
    enum status rc = reset->storage->ops->remove(reset->storage, path, err);
    return rc == ST_NOT_FOUND ? ST_OK : rc;
}

static enum status remove_counted(const struct reset *reset, struct str path,
                                  struct err *err)
{
    TRY(remove_one(reset, path, err));
    reset->report->n_removed++;
    return ST_OK;
}

static void leave(const struct reset *reset, struct str path)
{
    struct reset_report *report = reset->report;
    if (report->n_left++ == 0)
        snprintf(report->left, sizeof(report->left), "%.*s", STR_ARGS(path));
}

// The directory itself goes when nothing of others is in it, also not by now.
static enum status remove_if_empty(const struct reset *reset, struct str path,
                                   struct err *err)
{
    AUTO(arena_release) struct arena arena = {0};
    struct file_list left = {0};
    TRY(list(reset, path, &arena, &left, err));
    return left.n ? ST_OK : remove_one(reset, path, err);
}

static enum status remove_day(const struct reset *reset, struct str day, struct err *err)
{
    AUTO(arena_release) struct arena arena = {0};
    struct file_list files = {0};
    int64_t n_left = reset->report->n_left;
    TRY(list(reset, day, &arena, &files, err));
    for (size_t i = 0; i < files.n; i++) {
        const struct file_info *file = &files.items[i];
        struct str path = str_of(
            arena_printf(&arena, "%.*s/%.*s", STR_ARGS(day), STR_ARGS(file->name)));
        if (!file->is_directory && path_is_part(file->name))
            TRY(remove_counted(reset, path, err));
        else
            leave(reset, path);
    }
    return reset->report->n_left == n_left ? remove_if_empty(reset, day, err) : ST_OK;
}

static enum status remove_item(const struct reset *reset, const struct file_info *item,
                               struct err *err)
{
    if (item->is_directory && path_is_day(item->name))
        return remove_day(reset, item->name, err);
    if (!item->is_directory && path_is_part(item->name))
        return remove_counted(reset, item->name, err);
    if (!str_is(item->name, PATH_LOG_ROOT))
        leave(reset, item->name);
    return ST_OK;
}

enum status reset_result(struct storage *storage, struct reset_report *ret,
                         struct err *err)
{
    AUTO(arena_release) struct arena arena = {0};
    struct file_list items = {0};
    *ret = (struct reset_report){0};
    const struct reset reset = {storage, ret};
    TRY(list(&reset, str_of(""), &arena, &items, err));
    for (size_t i = 0; i < items.n; i++)
        TRY(remove_item(&reset, &items.items[i], err));
    for (size_t i = 0; i < items.n; i++)
        if (str_is(items.items[i].name, PATH_LOG_ROOT))
            TRY(remove_counted(&reset, items.items[i].name, err));
    return ST_OK;
}
