// SPDX-License-Identifier: Apache-2.0
#include "job/result.h"

#include <stdlib.h>

#include "core/format.h"
#include "log/log_read.h"

// As an entry tells it: 'on' and '1' are "true".
static struct str option_value(const struct options *options,
                               const struct option_def *def)
{
    if (def->type != OPTION_BOOLEAN)
        return options_text(options, def->name);
    return options_number(options, def->name) ? STR_LITERAL("true")
                                              : STR_LITERAL("false");
}

struct file_format result_format(const struct table *sink, struct arena *arena)
{
    const struct option_group *group = sink->format.group;
    struct file_format format = {
        .name = str_of(group->name),
        .options = arena_array(arena, group->n, sizeof(struct file_option)),
    };
    for (size_t i = 0; i < group->n; i++)
        if (group->defs[i].flags & OPTION_READERS)
            format.options[format.n_options++] =
                (struct file_option){str_of(group->defs[i].name),
                                     option_value(&sink->format, &group->defs[i])};
    return format;
}

static struct str extension_of(struct str path)
{
    struct str rest = path, part = {0};
    while (rest.p != NULL)
        part = str_cut(&rest, '.');
    return part;
}

static enum status unknown_format(struct str path, struct str name, struct err *err)
{
    return err_set(err, ST_FAIL,
                   "%.*s: this version of the program does not know format '%.*s'",
                   STR_ARGS(path), STR_ARGS(name));
}

// What a reader must know of files that no entry tells of: as the script has it.
static void take_script(const struct options *script, struct options *ret)
{
    for (size_t i = 0; i < script->group->n; i++)
        if (script->group->defs[i].flags & OPTION_READERS)
            ret->values[i] = script->values[i];
}

// The options of a file: as its entry tells them, or as the script does.
static enum status take_options(const struct plan *plan, const struct verify_file *file,
                                struct arena *arena, struct options *ret, struct err *err)
{
    const struct file_format *told = &file->format;
    struct str name = told->name.n ? told->name : extension_of(file->path);
    const struct format *format = format_find(name);
    if (format == NULL || format->files == NULL)
        return unknown_format(file->path, name, err);
    options_init(ret, &format->options, arena);
    if (told->name.n == 0 && format_of(&plan->sink->format) == format)
        take_script(&plan->sink->format, ret);
    for (size_t i = 0; i < told->n_options; i++) {
        const struct option_def *def =
            option_find(&format->options, told->options[i].name);
        if (def != NULL)
            TRY(options_set(ret, def, told->options[i].value, err));
    }
    return ST_OK;
}

static struct schema columns_of(const struct plan *plan, const struct verify_file *file,
                                struct arena *arena)
{
    AUTO(buf_release) struct buf now = {0};
    struct schema schema;
    schema_format(&plan->output, &now);
    if (file->schema.n == 0 || str_eq(file->schema, buf_as_str(&now)) ||
        !schema_parse(file->schema, arena, &schema))
        return schema_copy(arena, &plan->output);
    return schema;
}

static enum status open_rows(const struct plan *plan, struct storage *storage,
                             const struct verify_file *file, struct arena *arena,
                             struct rows **ret, struct err *err)
{
    struct options options;
    TRY(take_options(plan, file, arena, &options, err));
    struct schema *schema = arena_alloc(arena, sizeof(*schema));
    *schema = columns_of(plan, file, arena);
    const struct format_table table = {plan->sink->name, schema, &options};
    const struct rows_request request = {0};
    return format_of(&options)->files->open_rows(&table, &request, storage, file->path,
                                                 ret, err);
}

// Rows that own what they were opened with.
struct result_rows {
    struct rows rows; // first member
    struct arena arena;
    struct rows *file;
};

static enum status own_next(struct rows *rows, struct batch *batch, struct err *err)
{
    struct result_rows *result = (struct result_rows *)rows;
    return result->file->ops->next(result->file, batch, err);
}

static void own_close(struct rows *rows)
{
    struct result_rows *result = (struct result_rows *)rows;
    if (result->file != NULL)
        result->file->ops->close(result->file);
    arena_release(&result->arena);
    free(result);
}

static const struct rows_ops own_ops = {.next = own_next, .close = own_close};

enum status result_rows_open(const struct plan *plan, struct storage *storage,
                             const struct verify_file *file, struct rows **ret,
                             struct err *err)
{
    struct result_rows *result = mem_zalloc(sizeof(*result));
    result->rows.ops = &own_ops;
    enum status rc = open_rows(plan, storage, file, &result->arena, &result->file, err);
    if (rc != ST_OK) {
        own_close(&result->rows);
        return rc;
    }
    result->rows.schema = result->file->schema;
    *ret = &result->rows;
    return ST_OK;
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

// Without renames names say nothing: what is committed is what the log names.
static enum status visit_log(const struct visit *visit, bool dead, struct err *err)
{
    for (int64_t number = 0;; number++) {
        AUTO(arena_release) struct arena arena = {0};
        struct entry entry;
        TRY(log_read(visit->storage, number, &arena, &entry, err));
        for (size_t i = 0; i < entry.n_files; i++)
            if ((entry.files[i].kind == FILE_DEAD) == dead)
                TRY(visit->each(visit->context, entry.files[i].name, err));
    }
}

enum status result_files(struct storage *storage, bool dead,
                         enum status (*each)(void *context, struct str path,
                                             struct err *err),
                         void *context, struct err *err)
{
    struct visit visit = {storage, each, context};
    struct str directory = str_of(dead ? "_tramline/dead" : "");
    enum status status =
        storage->renames ? visit_directory(&visit, directory, dead ? "" : "part-", err)
                         : visit_log(&visit, dead, err);
    return status == ST_STOP || status == ST_NOT_FOUND ? ST_OK : status;
}
