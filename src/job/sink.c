// SPDX-License-Identifier: Apache-2.0
#include "job/sink.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/env.h"
#include "core/spool_writer.h"
#include "storage/spool_local.h"

static const struct format_files *files_of(const struct table *table)
{
    return format_of(&table->format)->files;
}

static struct format_table as_format(const struct table *table,
                                     const struct schema *schema)
{
    return (struct format_table){table->name, schema, &table->format};
}

enum status sink_row_format_open(const struct table *table, const struct schema *schema,
                                 struct row_format **ret, struct err *err)
{
    const struct format_table to = as_format(table, schema);
    return files_of(table)->open_row_format(&to, ret, err);
}

enum status sink_writer_open(const struct table *table, const struct schema *schema,
                             const char *plan_hash, struct file_writer **ret,
                             struct err *err)
{
    const struct format_table to = as_format(table, schema);
    return files_of(table)->open_writer(&to, plan_hash, ret, err);
}

static enum status put_values(struct file_writer *writer, struct rows *rows,
                              struct spool_writer *to, struct err *err)
{
    AUTO(batch_release) struct batch batch;
    batch_init(&batch, rows->schema->n);
    TRY(rows->ops->next(rows, &batch, err));
    while (batch.n_rows) {
        to->rows += (int64_t)batch.n_rows;
        TRY(writer->ops->batch(writer, &batch, err));
        TRY(rows->ops->next(rows, &batch, err));
    }
    return ST_OK;
}

static enum status put_bytes(struct file_writer *writer, struct rows *rows,
                             struct spool_writer *to, struct err *err)
{
    AUTO(buf_release) struct buf bytes = {0};
    size_t n;
    TRY(rows->bytes->next(rows, writer->row_format, &bytes, &n, err));
    while (n > 0) {
        to->rows += (int64_t)n;
        TRY(writer->ops->rows(writer, buf_as_str(&bytes), n, err));
        buf_clear(&bytes);
        TRY(rows->bytes->next(rows, writer->row_format, &bytes, &n, err));
    }
    return ST_OK;
}

// All rows as a file in the spool, since a storage wants to know the size of what it is
// given.
static enum status put_rows(struct file_writer *writer, struct rows *rows,
                            struct spool_writer *to, struct err *err)
{
    TRY(writer->ops->begin(writer, &to->output, 0, err));
    TRY(rows->bytes != NULL ? put_bytes(writer, rows, to, err)
                            : put_values(writer, rows, to, err));
    return writer->ops->finish(writer, (struct str){0}, err);
}

static enum status spool_begin(struct spool_writer *to, enum checksum_kind kind,
                               struct err *err)
{
    struct spool *spool;
    TRY(spool_local_open_temporary(&spool, err));
    enum status status = spool_writer_begin(to, spool, kind, err);
    spool->ops->close(spool);
    return status;
}

static enum status spool_rows(const struct table *table, struct rows *rows,
                              enum checksum_kind kind, struct spooled *ret,
                              struct err *err)
{
    struct file_writer *writer;
    struct spool_writer to = {0};
    TRY(sink_writer_open(table, rows->schema, "", &writer, err));
    enum status status = spool_begin(&to, kind, err);
    if (status == ST_OK)
        status = put_rows(writer, rows, &to, err);
    if (status == ST_OK)
        status = spool_writer_finish(&to, ret, err);
    writer->ops->close(writer);
    spool_writer_release(&to);
    return status;
}

struct file_reader {
    struct reader reader;
    struct spool_file *file;
    int64_t offset;
};

static enum status read_file(struct reader *reader, void *p, size_t capacity,
                             size_t *ret_n, struct err *err)
{
    struct file_reader *file = (struct file_reader *)reader;
    TRY(file->file->ops->read(file->file, file->offset, p, capacity, ret_n, err));
    file->offset += (int64_t)*ret_n;
    return ST_OK;
}

static enum status send(struct storage *storage, struct str path,
                        const struct spooled *made, struct err *err)
{
    const int source = made->file->ops->source(made->file);
    struct file_reader reader = {
        {.read = read_file, .file = source >= 0 ? &source : NULL}, made->file, 0};
    TRY(storage->ops->mkdir(storage, str_of(""), err));
    return storage->ops->write(storage, path, &reader.reader, made->bytes, err);
}

static struct sink_file as_made(const struct spooled *made)
{
    return (struct sink_file){made->rows, made->bytes, made->checksum};
}

enum status sink_write_file(struct storage *storage, const struct table *table,
                            struct rows *rows, struct str path, struct sink_file *ret,
                            struct err *err)
{
    struct spooled made;
    TRY(spool_rows(table, rows, storage->checksum_kind, &made, err));
    enum status status = send(storage, path, &made, err);
    made.file->ops->discard(made.file);
    *ret = as_made(&made);
    return status;
}

enum status sink_try_table(const struct table *table, struct rows *rows, int64_t *ret_n,
                           struct err *err)
{
    struct spooled made;
    TRY(spool_rows(table, rows, CHECKSUM_HDFS, &made, err));
    made.file->ops->discard(made.file);
    *ret_n = made.rows;
    return ST_OK;
}

// Whether the file of that name has these bytes. Where the storage does not say, it is
// written, and what is wrong is told then.
static bool is_there(struct storage *storage, struct str path, const struct spooled *made)
{
    struct file_info file;
    struct checksum sum;
    return storage->ops->stat(storage, path, &file, NULL) == ST_OK &&
           !file.is_directory && file.size == made->bytes &&
           storage->ops->checksum(storage, path, &sum, NULL) == ST_OK &&
           checksum_eq(&sum, &made->checksum);
}

static enum status send_and_replace(struct storage *storage, struct str path,
                                    const struct spooled *made, struct err *err)
{
    char uuid[UUID_TEXT], from[64];
    env_uuid(env_system(), uuid);
    snprintf(from, sizeof(from), "_tmp-%s", uuid);
    enum status status = send(storage, str_of(from), made, err);
    if (status == ST_OK)
        status = storage->ops->replace(storage, str_of(from), path, err);
    if (status != ST_OK) {
        enum status ignored = storage->ops->remove(storage, str_of(from), NULL);
        (void)ignored; // a name that begins with _ is not data
    }
    return status;
}

enum status sink_write_table(struct storage *storage, const struct table *table,
                             struct rows *rows, struct sink_table *ret, struct err *err)
{
    char to[256];
    struct spooled made;
    snprintf(to, sizeof(to), "%.*s.%s", STR_ARGS(table->name),
             files_of(table)->extension);
    TRY(spool_rows(table, rows, storage->checksum_kind, &made, err));
    *ret = (struct sink_table){made.rows, is_there(storage, str_of(to), &made)};
    enum status status = ST_OK;
    if (!ret->was_there)
        status = send_and_replace(storage, str_of(to), &made, err);
    made.file->ops->discard(made.file);
    return status;
}

enum status sink_check(const struct table *table, struct err *err)
{
    struct file_writer *writer;
    TRY(sink_writer_open(table, &table->schema, "", &writer, err));
    writer->ops->close(writer);
    return ST_OK;
}
