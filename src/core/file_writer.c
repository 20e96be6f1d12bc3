// SPDX-License-Identifier: Apache-2.0
#include "core/file_writer.h"

enum status file_writer_rows_of_batch(struct file_writer *writer,
                                      const struct batch *batch, struct err *err)
{
    struct row_format *row_format = writer->row_format;
    AUTO(buf_release) struct buf rows = {0};
    for (size_t i = 0; i < batch->n_rows; i++) {
        row_format->ops->fields(row_format, 0, batch_row(batch, i), batch->n_columns,
                                &rows);
        row_format->ops->end_row(row_format, &rows);
    }
    TRY(buf_check(&rows, "rows", err));
    return writer->ops->rows(writer, buf_as_str(&rows), batch->n_rows, err);
}

int64_t file_writer_appended(const struct file_writer *writer)
{
    return writer->to == NULL ? 0 : writer->to->bytes;
}
