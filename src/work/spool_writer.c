// SPDX-License-Identifier: Apache-2.0
#include "work/spool_writer.h"

#include <assert.h>

enum {
    FLUSH_BYTES = 256 << 10
};

enum status spool_writer_begin(struct spool_writer *writer, struct spool *spool,
                               struct err *err)
{
    TRY(spool->ops->create(spool, &writer->file, err));
    if (writer->sum == NULL)
        writer->sum = checksummer_open(CHECKSUM_BLOCK_BYTES);
    return ST_OK;
}

static enum status move_out(struct spool_writer *writer, struct err *err)
{
    assert(!writer->out.full); // the encoder has looked
    TRY(writer->file->ops->append(writer->file, buf_as_str(&writer->out), err));
    checksummer_add(writer->sum, writer->out.p, writer->out.n);
    writer->bytes += (int64_t)writer->out.n;
    buf_clear(&writer->out);
    return ST_OK;
}

enum status spool_writer_flush(struct spool_writer *writer, struct err *err)
{
    return writer->out.n < FLUSH_BYTES ? ST_OK : move_out(writer, err);
}

enum status spool_writer_overwrite(struct spool_writer *writer, struct str front,
                                   struct err *err)
{
    if (front.n == 0)
        return ST_OK;
    TRY(move_out(writer, err));
    checksummer_overwrite(writer->sum, front.p, front.n);
    return writer->file->ops->overwrite(writer->file, front, err);
}

enum status spool_writer_finish(struct spool_writer *writer, enum file_kind kind,
                                struct draft *ret, struct err *err)
{
    TRY(move_out(writer, err));
    struct entry_file file = {.kind = kind, .rows = writer->rows, .bytes = writer->bytes};
    checksummer_finish(writer->sum, &file.checksum);
    draft_add_file(ret, &file, writer->file);
    writer->file = NULL;
    writer->bytes = 0;
    writer->rows = 0;
    return ST_OK;
}

int64_t spool_writer_bytes(const struct spool_writer *writer)
{
    return writer->bytes + (int64_t)writer->out.n;
}

void spool_writer_drop(struct spool_writer *writer)
{
    struct checksum ignored;
    if (writer->file == NULL)
        return;
    writer->file->ops->discard(writer->file);
    checksummer_finish(writer->sum, &ignored);
    writer->file = NULL;
    writer->bytes = 0;
    writer->rows = 0;
    buf_clear(&writer->out);
}

void spool_writer_release(struct spool_writer *writer)
{
    spool_writer_drop(writer);
    checksummer_free(writer->sum);
    buf_release(&writer->out);
}
