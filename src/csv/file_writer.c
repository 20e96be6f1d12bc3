// SPDX-License-Identifier: Apache-2.0
#include "csv/file_writer.h"

#include <stdlib.h>

#include "csv/row_format.h"

struct csv_file_writer {
    struct file_writer writer; // first member
    bool header;
};

static enum status begin(struct file_writer *writer, struct file_output *to,
                         UNUSED size_t note_bytes, struct err *err)
{
    AUTO(buf_release) struct buf names = {0};
    writer->to = to;
    if (!((struct csv_file_writer *)writer)->header)
        return ST_OK;
    csv_put_names(writer->row_format, &names);
    return to->ops->append(to, buf_as_str(&names), err);
}

static enum status rows(struct file_writer *writer, struct str bytes,
                        UNUSED size_t n_rows, struct err *err)
{
    return writer->to->ops->append(writer->to, bytes, err);
}

static enum status finish(struct file_writer *writer, UNUSED struct str note,
                          UNUSED struct err *err)
{
    writer->to = NULL;
    return ST_OK;
}

static void abort_file(struct file_writer *writer)
{
    writer->to = NULL;
}

static void close_writer(struct file_writer *writer)
{
    writer->row_format->ops->close(writer->row_format);
    free(writer);
}

static const struct file_writer_ops ops = {
    .begin = begin,
    .rows = rows,
    .batch = file_writer_rows_of_batch,
    .bytes = file_writer_appended,
    .finish = finish,
    .abort = abort_file,
    .close = close_writer,
};

struct file_writer *csv_file_writer_open(const struct schema *schema, bool header)
{
    struct csv_file_writer *csv = mem_zalloc(sizeof(*csv));
    csv->writer =
        (struct file_writer){.ops = &ops, .row_format = csv_row_format_open(schema)};
    csv->header = header;
    return &csv->writer;
}
