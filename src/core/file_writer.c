// SPDX-License-Identifier: Apache-2.0
#include "core/file_writer.h"

enum {
    PIECE_BYTES = 1 << 20 // of rows with long texts, given at once, or a row more
};

// Encodes rows from *next on; returns how many.
static size_t encode_some(struct row_format *row_format, const struct batch *batch,
                          size_t *next, struct buf *rows)
{
    size_t before = *next;
    for (; *next < batch->n_rows && rows->n < PIECE_BYTES; ++*next) {
        row_format->ops->fields(row_format, 0, batch_row(batch, *next), batch->n_columns,
                                rows);
        row_format->ops->end_row(row_format, rows);
    }
    return *next - before;
}

enum status file_writer_rows_of_batch(struct file_writer *writer,
                                      const struct batch *batch, struct err *err)
{
    AUTO(buf_release) struct buf rows = {0};
    for (size_t next = 0; next < batch->n_rows;) {
        buf_clear(&rows);
        size_t n = encode_some(writer->row_format, batch, &next, &rows);
        TRY(buf_check(&rows, "rows", err));
        TRY(writer->ops->rows(writer, buf_as_str(&rows), n, err));
    }
    return ST_OK;
}

int64_t file_writer_appended(const struct file_writer *writer)
{
    return writer->to == NULL ? 0 : writer->to->bytes;
}
