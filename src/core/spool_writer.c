// SPDX-License-Identifier: Apache-2.0
#include "core/spool_writer.h"

#include <assert.h>

// Small pieces are gathered; large ones, such as a slice of rows (work/unit_builder.c),
// go to the file from where they are: a copy of all bytes less.
enum {
    FLUSH_BYTES = 256 << 10,
    LARGE_BYTES = 32 << 10
};

static enum status put(struct spool_writer *writer, struct str bytes, struct err *err)
{
    TRY(writer->file->ops->append(writer->file, bytes, err));
    checksummer_add(writer->sum, bytes.p, bytes.n);
    writer->in_file += (int64_t)bytes.n;
    return ST_OK;
}

static enum status move_out(struct spool_writer *writer, struct err *err)
{
    assert(!writer->out.full); // who filled it has looked
    TRY(put(writer, buf_as_str(&writer->out), err));
    buf_clear(&writer->out);
    return ST_OK;
}

enum status spool_writer_flush(struct spool_writer *writer, struct err *err)
{
    writer->output.bytes = writer->in_file + (int64_t)writer->out.n;
    return writer->out.n < FLUSH_BYTES ? ST_OK : move_out(writer, err);
}

static enum status append(struct file_output *to, struct str bytes, struct err *err)
{
    struct spool_writer *writer = (struct spool_writer *)to;
    if (bytes.n < LARGE_BYTES) {
        buf_str(&writer->out, bytes);
        return spool_writer_flush(writer, err);
    }
    TRY(move_out(writer, err));
    TRY(put(writer, bytes, err));
    to->bytes = writer->in_file;
    return ST_OK;
}

static enum status overwrite(struct file_output *to, struct str front, struct err *err)
{
    struct spool_writer *writer = (struct spool_writer *)to;
    TRY(move_out(writer, err));
    checksummer_overwrite(writer->sum, front.p, front.n);
    return writer->file->ops->overwrite(writer->file, front, err);
}

static const struct file_output_ops ops = {
    .append = append,
    .overwrite = overwrite,
};

enum status spool_writer_begin(struct spool_writer *writer, struct spool *spool,
                               enum checksum_kind kind, struct err *err)
{
    TRY(spool->ops->create(spool, &writer->file, err));
    writer->output.ops = &ops;
    if (writer->sum == NULL)
        writer->sum = checksummer_open(kind);
    return ST_OK;
}

static void forget(struct spool_writer *writer)
{
    writer->file = NULL;
    writer->in_file = 0;
    writer->output.bytes = 0;
    writer->rows = 0;
}

enum status spool_writer_finish(struct spool_writer *writer, struct spooled *ret,
                                struct err *err)
{
    TRY(move_out(writer, err));
    *ret = (struct spooled){
        .file = writer->file, .rows = writer->rows, .bytes = writer->in_file};
    checksummer_finish(writer->sum, &ret->checksum);
    forget(writer);
    return ST_OK;
}

void spool_writer_drop(struct spool_writer *writer)
{
    struct checksum ignored;
    if (writer->file == NULL)
        return;
    writer->file->ops->discard(writer->file);
    checksummer_finish(writer->sum, &ignored);
    buf_clear(&writer->out);
    forget(writer);
}

void spool_writer_release(struct spool_writer *writer)
{
    spool_writer_drop(writer);
    checksummer_free(writer->sum);
    buf_release(&writer->out);
}
