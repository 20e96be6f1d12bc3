// SPDX-License-Identifier: Apache-2.0
#include "csv/row_format.h"

#include <stdlib.h>

#include "base/byte_mask.h"
#include "base/hash.h"
#include "csv/scanner.h"

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
static bool is_special_first(const struct schema *schema, struct str text)
{
    return csv_bom(text) > 0 || (schema->n == 1 && csv_is_blank(text));
}

static NOINLINE void append_odd(struct str text, size_t n_commas, struct buf *row)
{
    if (n_commas > 0)
        buf_char(row, ',');
    append_quoted(text, row);
}

// One look for room for the text and its comma: most of what is written goes this way.
static void append_text(const struct schema *schema, struct str text, size_t n_commas,
                        struct buf *row)
{
    bool is_special = n_commas == 0 && is_special_first(schema, text);
    if (UNLIKELY(text.n == 0 || is_special || has_special(text))) {
        append_odd(text, n_commas, row);
        return;
    }
    char *room = buf_room(row, text.n + n_commas);
    if (UNLIKELY(room == NULL))
        return;
    *room = ',';
    word_copy(room + n_commas, text.p, text.n);
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

static void fields(struct row_format *row_format, size_t first,
                   const struct value *values, size_t n, struct buf *row)
{
    size_t n_commas = first > 0;
    for (size_t i = 0; i < n; i++, n_commas = 1) {
        const struct value *value = &values[i];
        if (LIKELY(value->kind == VALUE_TEXT)) {
            append_text(row_format->schema, value_str(*value), n_commas, row);
            continue;
        }
        if (n_commas > 0)
            buf_char(row, ',');
        append_other(value, row);
    }
}

static void end_row(UNUSED struct row_format *row_format, struct buf *row)
{
    buf_char(row, '\n');
}

static void close_row_format(struct row_format *row_format)
{
    free(row_format);
}

static const struct row_format_ops ops = {
    .fields = fields,
    .end_row = end_row,
    .close = close_row_format,
};

struct row_format *csv_row_format_open(const struct schema *schema)
{
    struct row_format *row_format = mem_zalloc(sizeof(*row_format));
    *row_format = (struct row_format){.ops = &ops, .schema = schema};
    if (schema->n > 1) // else a blank field is quoted, which is data elsewhere
        row_format->separator = CSV_SEPARATOR;
    return row_format;
}

void csv_put_names(struct row_format *row_format, struct buf *ret)
{
    for (size_t i = 0; i < row_format->schema->n; i++) {
        struct value name = value_text(row_format->schema->columns[i].name);
        fields(row_format, i, &name, 1, ret);
    }
    end_row(row_format, ret);
}
