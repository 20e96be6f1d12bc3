// SPDX-License-Identifier: Apache-2.0
#include "avro/record_encoder.h"

#include <stdlib.h>

#include "avro/frame.h"

struct avro_record_encoder {
    struct record_encoder record; // first member
    struct avro_row_format *format;
};

static enum status encode(struct record_encoder *record, const struct value *row,
                          struct buf *out, struct err *err)
{
    struct row_format *format =
        &((struct avro_record_encoder *)record)->format->row_format;
    size_t begin = out->n;
    frame_put(record->schema_id, out);
    format->ops->fields(format, 0, row, format->schema->n, out);
    if (format->refused.n == 0)
        return buf_check(out, "Avro datum", err);
    out->n = begin;
    enum status rc = err_set(err, ST_DATA, "%.*s", STR_ARGS(format->refused));
    format->refused = (struct str){0};
    return rc;
}

static void close_encoder(struct record_encoder *record)
{
    struct row_format *format =
        &((struct avro_record_encoder *)record)->format->row_format;
    format->ops->close(format);
    free(record);
}

static const struct record_encoder_ops ops = {.encode = encode, .close = close_encoder};

enum status avro_record_encoder_open(const struct schema *columns,
                                     const struct avro_schema_options *options,
                                     struct record_encoder **ret, struct err *err)
{
    struct avro_row_format *format;
    TRY(avro_row_format_open(columns, options, &format, err));
    struct avro_record_encoder *encoder = mem_zalloc(sizeof(*encoder));
    encoder->record = (struct record_encoder){.ops = &ops, .schema = format->json};
    encoder->format = format;
    *ret = &encoder->record;
    return ST_OK;
}
