// SPDX-License-Identifier: Apache-2.0
// A result's files with the columns that the script gives it now.
#include <stdlib.h>

#include "base/log.h"
#include "job/result.h"
#include "log/log_read.h"
#include "log/paths.h"

struct result_reader {
    const struct plan *plan;
    struct storage *storage;
    struct arena arena; // of the entry
    struct entry entry; // that was read last
    int64_t number;     // of it, or -1
    struct buf told;    // schema whose columns were told last
};

struct placed_rows {
    struct rows rows; // first member
    struct rows *file;
    struct batch batch;
    int *places; // of each column now in the file's rows; -1: none
};

static enum status next(struct rows *rows, struct batch *batch, struct err *err)
{
    struct placed_rows *placed = (struct placed_rows *)rows;
    batch_clear(batch);
    TRY(placed->file->ops->next(placed->file, &placed->batch, err));
    for (size_t i = 0; i < placed->batch.n_rows; i++) {
        const struct value *from = batch_row(&placed->batch, i);
        struct value *to = batch_add(batch, 0);
        for (size_t c = 0; c < rows->schema->n; c++)
            if (placed->places[c] >= 0)
                to[c] = from[placed->places[c]];
    }
    return ST_OK;
}

static void close_rows(struct rows *rows)
{
    struct placed_rows *placed = (struct placed_rows *)rows;
    placed->file->ops->close(placed->file);
    batch_release(&placed->batch);
    free(placed->places);
    free(placed);
}

static const struct rows_ops placed_ops = {.next = next, .close = close_rows};

static struct rows *place_rows(const struct plan *plan, struct rows *file)
{
    struct placed_rows *placed = mem_zalloc(sizeof(*placed));
    placed->rows = (struct rows){.ops = &placed_ops, .schema = &plan->output};
    placed->file = file;
    placed->places = mem_array(plan->output.n, sizeof(int));
    batch_init(&placed->batch, file->schema->n);
    for (size_t c = 0; c < plan->output.n; c++)
        placed->places[c] = schema_find(file->schema, plan->output.columns[c].name);
    return &placed->rows;
}

// Which columns of the file are left out, once for all files that have the same.
static void tell_left_out(struct result_reader *reader, const struct verify_file *file,
                          const struct schema *schema)
{
    AUTO(buf_release) struct buf names = {0};
    if (str_eq(buf_as_str(&reader->told), file->schema))
        return;
    buf_clear(&reader->told);
    buf_str(&reader->told, file->schema);
    for (size_t c = 0; c < schema->n; c++)
        if (schema_find(&reader->plan->output, schema->columns[c].name) < 0)
            buf_printf(&names, "%s'%.*s'", names.n ? ", " : "",
                       STR_ARGS(schema->columns[c].name));
    if (names.n > 0)
        log_info("%.*s has columns that the query does not give any more; they are not "
                 "shown: %s",
                 STR_ARGS(file->path), buf_cstr(&names));
}

static struct str last_part(struct str path)
{
    struct str part = {0};
    while (path.p != NULL)
        part = str_cut(&path, '/');
    return part;
}

// ST_OK also when it was removed, or there is none: then it is empty.
static enum status read_entry(struct result_reader *reader, int64_t number,
                              struct err *err)
{
    if (number == reader->number)
        return ST_OK;
    arena_clear(&reader->arena);
    reader->entry = (struct entry){0};
    reader->number = number;
    enum status rc =
        log_read(reader->storage, number, &reader->arena, &reader->entry, err);
    return rc == ST_NOT_FOUND ? ST_OK : rc;
}

static bool has_file(const struct entry *entry, struct str path)
{
    for (size_t i = 0; i < entry->n_files; i++)
        if (str_eq(entry->files[i].name, path))
            return true;
    return false;
}

// The name has no number: files are read in the order of the log, so on from the entry
// that was read last.
static enum status find_entry(struct result_reader *reader, struct str path,
                              struct err *err)
{
    int64_t number = reader->number < 0 ? 0 : reader->number;
    do
        TRY(read_entry(reader, number++, err));
    while (reader->entry.writer.n > 0 && !has_file(&reader->entry, path));
    return ST_OK;
}

// What the file's entry tells of it. Nothing when the entry was removed, or there is
// none.
static enum status look_up(struct result_reader *reader, struct str path,
                           struct verify_file *ret, struct err *err)
{
    int64_t number;
    *ret = (struct verify_file){.path = path};
    if (path_number(last_part(path), &number))
        TRY(read_entry(reader, number, err));
    else if (!reader->storage->renames)
        TRY(find_entry(reader, path, err));
    else
        return ST_OK;
    ret->schema = reader->entry.schema;
    ret->format = reader->entry.format;
    return ST_OK;
}

struct result_reader *result_reader_new(const struct plan *plan, struct storage *storage)
{
    struct result_reader *reader = mem_zalloc(sizeof(*reader));
    reader->plan = plan;
    reader->storage = storage;
    reader->number = -1;
    return reader;
}

enum status result_reader_open(struct result_reader *reader, struct str path,
                               struct rows **ret, struct err *err)
{
    struct verify_file file;
    struct rows *rows;
    TRY(look_up(reader, path, &file, err));
    TRY(result_rows_open(reader->plan, reader->storage, &file, &rows, err));
    tell_left_out(reader, &file, rows->schema);
    *ret = place_rows(reader->plan, rows);
    return ST_OK;
}

void result_reader_free(struct result_reader *reader)
{
    if (reader == NULL)
        return;
    arena_release(&reader->arena);
    buf_release(&reader->told);
    free(reader);
}
