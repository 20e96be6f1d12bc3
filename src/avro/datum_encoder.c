// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "avro/frame.h"
#include "avro/writer.h"

struct avro_datum_encoder {
    struct avro_writer *writer;
};

enum status avro_datum_encoder_open(const struct schema *columns,
                                    const struct avro_schema_options *options,
                                    struct avro_datum_encoder **ret, struct err *err)
{
    struct avro_writer *writer;
    TRY(avro_writer_open(columns, options, &writer, err));
    *ret = mem_zalloc(sizeof(**ret));
    (*ret)->writer = writer;
    return ST_OK;
}

struct str avro_datum_encoder_schema(const struct avro_datum_encoder *encoder)
{
    return encoder->writer->json;
}

static enum status refuse(const struct avro_datum_encoder *encoder, size_t column,
                          struct value v, struct err *err)
{
    struct buf why = {0};
    avro_cell_why(encoder->writer, column, v, &why);
    enum status rc = err_set(err, ST_DATA, "%.*s", STR_ARGS(buf_as_str(&why)));
    buf_release(&why);
    return rc;
}

enum status avro_datum_encode(struct avro_datum_encoder *encoder, int32_t schema_id,
                              const struct value *row, struct buf *out, struct err *err)
{
    const struct avro_writer *writer = encoder->writer;
    size_t begin = out->n;
    frame_put(schema_id, out);
    for (size_t i = 0; i < writer->columns.n; i++) {
        if (avro_cell_put(&writer->cells[i], row[i], out))
            continue;
        out->n = begin;
        return refuse(encoder, i, row[i], err);
    }
    return buf_check(out, "Avro datum", err);
}

void avro_datum_encoder_close(struct avro_datum_encoder *encoder)
{
    if (encoder == NULL)
        return;
    avro_writer_free(encoder->writer);
    free(encoder);
}
