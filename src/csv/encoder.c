// SPDX-License-Identifier: Apache-2.0
#include "csv/encoder.h"

#include <stdlib.h>

#include "base/byte_mask.h"
#include "base/hash.h"
#include "csv/scanner.h"

struct csv_encoder {
    struct encoder encoder;
    bool header;
};

static NOINLINE bool long_has_special(struct str text)
{
    return memchr(text.p, ',', text.n) || memchr(text.p, '"', text.n) ||
           memchr(text.p, '\r', text.n) || memchr(text.p, '\n', text.n);
}

static bool has_special(struct str text)
{
    static const struct byte_set special = {',', '"', '\r', '\n'};
    bool plain = true; // not asked for
    if (UNLIKELY(text.n > BYTE_MASK_MAX))
        return long_has_special(text);
    return byte_mask(text.p, text.n, special, &plain) != 0;
}

static void append_quoted(struct str text, struct buf *row)
{
    buf_char(row, '"');
    const char *quote;
    while (text.n && (quote = memchr(text.p, '"', text.n)) != NULL) {
        size_t n = (size_t)(quote - text.p) + 1;
        buf_append(row, text.p, n);
        buf_char(row, '"');
        text = (struct str){text.p + n, text.n - n};
    }
    buf_str(row, text);
    buf_char(row, '"');
}

// A first field that would not read back as it is: the readers pass a byte order mark,
// and a line of white space.
static bool is_special_first(const struct encoder *encoder, struct str text)
{
    return csv_bom(text) > 0 || (encoder->schema->n == 1 && csv_is_blank(text));
}

static NOINLINE void append_odd(struct str text, size_t n_commas, struct buf *row)
{
    if (n_commas > 0)
        buf_char(row, ',');
    append_quoted(text, row);
}

// One look for room for the text and its comma: most of what is written goes this way.
static void append_text(const struct encoder *encoder, struct str text, size_t n_commas,
                        struct buf *row)
{
    bool is_special = n_commas == 0 && is_special_first(encoder, text);
    if (UNLIKELY(text.n == 0 || is_special || has_special(text))) {
        append_odd(text, n_commas, row);
        return;
    }
    char *room = buf_room(row, text.n + n_commas);
    if (UNLIKELY(room == NULL))
        return;
    *room = ',';
    memcpy(room + n_commas, text.p, text.n);
    row->n += text.n + n_commas;
}

static void append_bytes(struct str bytes, struct buf *row)
{
    buf_text(row, "\\x");
    char *room = buf_room(row, 2 * bytes.n + 1);
    if (room == NULL)
        return;
    hex_encode((const uint8_t *)bytes.p, bytes.n, room);
    row->n += 2 * bytes.n;
}

static void append_other(const struct value *value, struct buf *row)
{
    if (LIKELY(value->kind == VALUE_INT))
        buf_i64(row, value->i);
    else if (value->kind == VALUE_BYTES)
        append_bytes(value_str(*value), row);
    else
        value_format(*value, row);
}

static void fields(struct encoder *encoder, size_t first, const struct value *values,
                   size_t n, struct buf *row)
{
    size_t n_commas = first > 0;
    for (size_t i = 0; i < n; i++, n_commas = 1) {
        const struct value *value = &values[i];
        if (LIKELY(value->kind == VALUE_TEXT)) {
            append_text(encoder, value_str(*value), n_commas, row);
            continue;
        }
        if (n_commas > 0)
            buf_char(row, ',');
        append_other(value, row);
    }
}

static void end_row(UNUSED struct encoder *encoder, struct buf *row)
{
    buf_char(row, '\n');
}

static enum status begin(struct encoder *encoder, struct buf *out, struct err *err)
{
    if (!((struct csv_encoder *)encoder)->header)
        return ST_OK;
    for (size_t i = 0; i < encoder->schema->n; i++) {
        struct value name = value_text(encoder->schema->columns[i].name);
        fields(encoder, i, &name, 1, out);
    }
    end_row(encoder, out);
    return buf_check(out, "header line", err);
}

static enum status rows(UNUSED struct encoder *encoder, struct str bytes,
                        UNUSED size_t n_rows, struct buf *out, struct err *err)
{
    buf_str(out, bytes);
    return buf_check(out, "CSV rows", err);
}

static enum status end(UNUSED struct encoder *encoder, UNUSED struct buf *out,
                       UNUSED struct err *err)
{
    return ST_OK;
}

static void note(UNUSED struct encoder *encoder, UNUSED struct str text,
                 UNUSED struct buf *front)
{
}

static void encoder_close(struct encoder *encoder)
{
    free(encoder);
}

static const struct encoder_ops csv_encoder_ops = {
    .fields = fields,
    .end_row = end_row,
    .begin = begin,
    .rows = rows,
    .end = end,
    .note = note,
    .close = encoder_close,
};

struct encoder *csv_encoder_open(const struct schema *schema, bool header)
{
    struct csv_encoder *csv = mem_zalloc(sizeof(*csv));
    csv->encoder =
        (struct encoder){.ops = &csv_encoder_ops, .schema = schema, .extension = "csv"};
    if (schema->n > 1) // else a blank field is quoted, which is data elsewhere
        csv->encoder.separator = CSV_SEPARATOR;
    csv->header = header;
    return &csv->encoder;
}
