// SPDX-License-Identifier: Apache-2.0
#include "job/sink.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/env.h"
#include "storage/spool_local.h"

static const struct format_files *files_of(const struct table *table)
{
    return format_of(&table->format)->files;
}

enum status sink_encoder_open(const struct table *table, const struct schema *schema,
                              const char *plan_hash, struct encoder **ret,
                              struct err *err)
{
    const struct format_table as_format = {table->name, schema, &table->format};
    return files_of(table)->open_encoder(&as_format, plan_hash, ret, err);
}

// A table on its way: encoded whole into the spool, since a storage wants to know the
// size of what it is given.
struct table_writer {
    struct encoder *encoder;
    struct spool_file *file;
    struct checksummer *sum;
    struct batch batch;
    struct buf row_bytes, out;
    struct sink_file made;
};

static enum status flush(struct table_writer *writer, struct err *err)
{
    TRY(buf_check(&writer->out, "table", err));
    writer->made.size += (int64_t)writer->out.n;
    checksummer_add(writer->sum, writer->out.p, writer->out.n);
    TRY(writer->file->ops->append(writer->file, buf_as_str(&writer->out), err));
    buf_clear(&writer->out);
    return ST_OK;
}

static enum status encode_batch(struct table_writer *writer, struct err *err)
{
    struct encoder *encoder = writer->encoder;
    struct batch *batch = &writer->batch;
    buf_clear(&writer->row_bytes);
    for (size_t i = 0; i < batch->n_rows; i++) {
        encoder->ops->fields(encoder, 0, batch_row(batch, i), batch->n_columns,
                             &writer->row_bytes);
        encoder->ops->end_row(encoder, &writer->row_bytes);
    }
    TRY(buf_check(&writer->row_bytes, "table", err));
    writer->made.n_rows += (int64_t)batch->n_rows;
    TRY(encoder->ops->rows(encoder, buf_as_str(&writer->row_bytes), batch->n_rows,
                           &writer->out, err));
    return flush(writer, err);
}

static enum status encode_all(struct table_writer *writer, struct rows *rows,
                              struct err *err)
{
    TRY(writer->encoder->ops->begin(writer->encoder, &writer->out, err));
    TRY(rows->ops->next(rows, &writer->batch, err));
    while (writer->batch.n_rows) {
        TRY(encode_batch(writer, err));
        TRY(rows->ops->next(rows, &writer->batch, err));
    }
    TRY(writer->encoder->ops->end(writer->encoder, &writer->out, err));
    return flush(writer, err);
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

static enum status spool_file_open(struct spool_file **ret, struct err *err)
{
    struct spool *spool;
    TRY(spool_local_open_temporary(&spool, err));
    enum status status = spool->ops->create(spool, ret, err);
    spool->ops->close(spool);
    return status;
}

// Into the spool, and from there to the storage unless it is NULL.
static enum status write_rows(struct storage *storage, const struct table *table,
                              struct rows *rows, struct str path, struct sink_file *ret,
                              struct err *err)
{
    struct table_writer writer = {0};
    TRY(sink_encoder_open(table, rows->schema, "", &writer.encoder, err));
    batch_init(&writer.batch, rows->schema->n);
    writer.sum = checksummer_open(CHECKSUM_BLOCK_BYTES);
    enum status status = spool_file_open(&writer.file, err);
    if (status == ST_OK)
        status = encode_all(&writer, rows, err);
    if (status == ST_OK && storage != NULL)
        status = storage->ops->mkdir(storage, str_of(""), err);
    if (status == ST_OK && storage != NULL) {
        struct file_reader reader = {{read_file}, writer.file, 0};
        status =
            storage->ops->write(storage, path, &reader.reader, writer.made.size, err);
    }
    checksummer_finish(writer.sum, &writer.made.checksum);
    *ret = writer.made;
    if (writer.file != NULL)
        writer.file->ops->discard(writer.file);
    writer.encoder->ops->close(writer.encoder);
    checksummer_free(writer.sum);
    batch_release(&writer.batch);
    buf_release(&writer.row_bytes);
    buf_release(&writer.out);
    return status;
}

enum status sink_write_file(struct storage *storage, const struct table *table,
                            struct rows *rows, struct str path, struct sink_file *ret,
                            struct err *err)
{
    return write_rows(storage, table, rows, path, ret, err);
}

enum status sink_try_table(const struct table *table, struct rows *rows, int64_t *ret_n,
                           struct err *err)
{
    struct sink_file made = {0};
    enum status status = write_rows(NULL, table, rows, str_of(""), &made, err);
    *ret_n = made.n_rows;
    return status;
}

enum status sink_write_table(struct storage *storage, const struct table *table,
                             struct rows *rows, int64_t *ret_n, struct err *err)
{
    char uuid[UUID_TEXT], from[64], to[256];
    env_uuid(env_system(), uuid);
    snprintf(from, sizeof(from), "_tmp-%s", uuid);
    snprintf(to, sizeof(to), "%.*s.%s", STR_ARGS(table->name),
             files_of(table)->extension);
    struct sink_file made;
    enum status status = sink_write_file(storage, table, rows, str_of(from), &made, err);
    *ret_n = made.n_rows;
    if (status == ST_OK)
        status = storage->ops->replace(storage, str_of(from), str_of(to), err);
    if (status != ST_OK) {
        enum status ignored = storage->ops->remove(storage, str_of(from), NULL);
        (void)ignored; // a name that begins with _ is not data
    }
    return status;
}

enum status sink_check(const struct table *table, struct err *err)
{
    struct encoder *encoder;
    TRY(sink_encoder_open(table, &table->schema, "", &encoder, err));
    encoder->ops->close(encoder);
    return ST_OK;
}
