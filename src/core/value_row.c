// SPDX-License-Identifier: Apache-2.0
#include "core/value_row.h"

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

static void fields(UNUSED struct row_format *row_format, UNUSED size_t first,
                   const struct value *values, size_t n, struct buf *row)
{
    for (size_t i = 0; i < n; i++)
        encode(&values[i], row);
}

static void end_row(UNUSED struct row_format *row_format, UNUSED struct buf *row)
{
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

const char *value_decode(const char *bytes, const size_t *places, size_t n,
                         struct value *ret)
{
    for (size_t i = 0; i < n; i++)
        bytes = decode(bytes, &ret[places[i]]);
    return bytes;
}

static void close_row_format(UNUSED struct row_format *row_format)
{
}

static const struct row_format_ops ops = {
    .fields = fields,
    .end_row = end_row,
    .close = close_row_format,
};

void value_row_format_init(struct row_format *row_format, const struct schema *schema)
{
    *row_format = (struct row_format){.ops = &ops, .schema = schema};
}
