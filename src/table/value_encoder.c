// SPDX-License-Identifier: Apache-2.0
#include "table/value_encoder.h"

#include <assert.h>

static bool has_bytes(uint32_t kind)
{
    return kind == VALUE_TEXT || kind == VALUE_BYTES;
}

static void encode(const struct value *value, struct buf *row)
{
    buf_char(row, (char)value->kind);
    if (has_bytes(value->kind)) {
        buf_append(row, &value->n, sizeof(value->n));
        buf_append(row, value->p, value->n);
    } else if (value->kind != VALUE_NULL) {
        buf_append(row, &value->i, sizeof(value->i));
    }
}

static void encode_fields(struct encoder *encoder, size_t first,
                          const struct value *values, size_t n, struct buf *row)
{
    (void)encoder;
    (void)first;
    for (size_t i = 0; i < n; i++)
        encode(&values[i], row);
}

static void end_row(struct encoder *encoder, struct buf *row)
{
    (void)encoder;
    (void)row;
}

static const char *decode(const char *bytes, struct value *ret)
{
    *ret = (struct value){.kind = (uint32_t)*bytes++};
    if (has_bytes(ret->kind)) {
        memcpy(&ret->n, bytes, sizeof(ret->n));
        ret->p = bytes + sizeof(ret->n);
        return ret->p + ret->n;
    }
    if (ret->kind == VALUE_NULL)
        return bytes;
    memcpy(&ret->i, bytes, sizeof(ret->i));
    return bytes + sizeof(ret->i);
}

void value_decode(const char *bytes, const size_t *places, size_t n, struct value *ret)
{
    for (size_t i = 0; i < n; i++)
        bytes = decode(bytes, &ret[places[i]]);
}

// A file of such rows: nobody asks for one.

static enum status begin_file(struct encoder *encoder, struct buf *out, struct err *err)
{
    (void)encoder;
    (void)out;
    (void)err;
    assert(false);
    return ST_FAIL;
}

static enum status file_rows(struct encoder *encoder, struct str rows, size_t n_rows,
                             struct buf *out, struct err *err)
{
    (void)rows;
    (void)n_rows;
    return begin_file(encoder, out, err);
}

static void note_file(struct encoder *encoder, struct str note, struct buf *front)
{
    (void)encoder;
    (void)note;
    (void)front;
}

static void close_encoder(struct encoder *encoder)
{
    *encoder = (struct encoder){0};
}

static const struct encoder_ops value_ops = {
    .fields = encode_fields,
    .end_row = end_row,
    .begin = begin_file,
    .rows = file_rows,
    .end = begin_file,
    .note = note_file,
    .close = close_encoder,
};

void value_encoder_init(struct encoder *encoder, const struct schema *schema)
{
    *encoder = (struct encoder){.ops = &value_ops, .schema = schema, .extension = ""};
}
