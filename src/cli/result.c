// SPDX-License-Identifier: Apache-2.0
#include "cli/result.h"

#include "avro/table.h"
#include "csv/table.h"

enum status result_rows_open(const struct plan *plan, struct storage *storage,
                             struct str path, struct rows **ret, struct err *err)
{
    if (strcmp(plan->sink->format.group->name, "avro") == 0) {
        struct avro_table_options options = {.columns = &plan->output};
        return avro_table_open(storage, path, &options, ret, err);
    }
    struct csv_table_options options = {
        .header = options_number(&plan->sink->format, "header"),
    };
    return csv_table_open(storage, path, &plan->output, &options, ret, err);
}

struct visit {
    struct storage *storage;
    enum status (*each)(void *context, struct str path, struct err *err);
    void *context;
};

static enum status visit_directory(const struct visit *visit, struct str directory,
                                   const char *prefix, struct err *err)
{
    AUTO(arena_release) struct arena arena = {0};
    struct file_list list = {0};
    struct storage *storage = visit->storage;
    TRY(storage->ops->list(storage, directory, &arena, &list, err));
    for (size_t i = 0; i < list.n; i++) {
        const struct file_info *file = &list.items[i];
        const char *path = arena_printf(&arena, "%.*s%s%.*s", STR_ARGS(directory),
                                        directory.n ? "/" : "", STR_ARGS(file->name));
        if (file->is_directory && str_starts_with(file->name, "day="))
            TRY(visit_directory(visit, str_of(path), prefix, err));
        else if (!file->is_directory && str_starts_with(file->name, prefix))
            TRY(visit->each(visit->context, str_of(path), err));
    }
    return ST_OK;
}

enum status result_files(struct storage *storage, bool dead,
                         enum status (*each)(void *context, struct str path,
                                             struct err *err),
                         void *context, struct err *err)
{
    struct visit visit = {storage, each, context};
    struct str directory = str_of(dead ? "_tramline/dead" : "");
    enum status status = visit_directory(&visit, directory, dead ? "" : "part-", err);
    return status == ST_STOP || status == ST_NOT_FOUND ? ST_OK : status;
}
