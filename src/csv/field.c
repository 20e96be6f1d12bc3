// SPDX-License-Identifier: Apache-2.0
#include "csv/field.h"

bool csv_value_other(const struct column *column, struct csv_field field, bool plain,
                     struct arena *arena, struct value *ret)
{
    bool is_text = column->type == TYPE_TEXT;
    if (field.n == 0 && !(field.quoted && is_text)) {
        *ret = (struct value){0};
        return column->nullable;
    }
    struct str text = csv_text(field, arena);
    if (plain && is_text) {
        *ret = value_text(text);
        return true;
    }
    return value_parse(column->type, text, ret);
}

enum {
    SHOW_MAX = 40
};

// Bytes of the character at the front that may be shown as they are; 0: escape it.
static size_t printable(struct str s)
{
    unsigned char a = (unsigned char)s.p[0];
    if (a < 0x80)
        return a >= 0x20 && a < 0x7F;
    size_t length = a >= 0xF0 ? 4 : a >= 0xE0 ? 3 : 2;
    if (s.n < length || str_utf8_valid((struct str){s.p, length}) != length)
        return 0;
    bool is_control = a == 0xC2 && (unsigned char)s.p[1] < 0xA0;
    return is_control ? 0 : length;
}

void csv_show(struct str bytes, struct buf *text)
{
    buf_char(text, '\'');
    size_t i = 0;
    while (i < bytes.n && i < SHOW_MAX) {
        size_t length = printable((struct str){bytes.p + i, bytes.n - i});
        if (length)
            buf_append(text, bytes.p + i, length);
        else
            buf_printf(text, "\\x%02X", (unsigned char)bytes.p[i]);
        i += length ? length : 1;
    }
    buf_text(text, i < bytes.n ? "...'" : "'");
}

static bool is_integer(struct str text)
{
    size_t i = text.n && (text.p[0] == '-' || text.p[0] == '+');
    if (i == text.n)
        return false;
    while (i < text.n && text.p[i] >= '0' && text.p[i] <= '9')
        i++;
    return i == text.n;
}

static void explain_text(struct str text, struct buf *out)
{
    size_t good = str_utf8_valid(text);
    bool is_nul = good < text.n && text.p[good] == '\0';
    buf_text(out, is_nul ? " holds a NUL byte" : " is not UTF-8");
}

static void explain_type(enum type type, struct str text, struct buf *out)
{
    bool is_out = (type == TYPE_INT || type == TYPE_BIGINT) && is_integer(text);
    const char *article = type == TYPE_INT ? "an" : "a";
    if (is_out)
        buf_printf(out, " is out of the range of %s", type_name(type));
    else
        buf_printf(out, " is not %s %s", article, type_name(type));
}

void csv_explain(const struct column *column, struct csv_field field, struct buf *text)
{
    buf_printf(text, "column %.*s", STR_ARGS(column->name));
    if (field.n == 0) {
        buf_text(text, " is NOT NULL and has no value");
        return;
    }
    buf_text(text, ": ");
    csv_show(csv_raw(field), text);
    if (column->type == TYPE_TEXT)
        explain_text(csv_raw(field), text);
    else
        explain_type(column->type, csv_raw(field), text);
}

static const char *scan_text(enum csv_scan scan, const struct csv_line *line)
{
    switch (scan) {
    case CSV_AFTER_QUOTE:
        if (line->n_breaks > 0)
            break; // what looks like its end is the next quote, lines below
        return "text after the closing quote; a quote inside quotes is written twice";
    case CSV_STRAY_CR:
        return "a carriage return without a line feed; quote the field";
    case CSV_TOO_LONG:
        return "a record of more than 16 MiB; is a quote left open?";
    case CSV_UNCLOSED:
    case CSV_LINE:
    case CSV_MORE:
        break;
    }
    return "unclosed quote";
}

void csv_explain_scan(enum csv_scan scan, const struct csv_line *line,
                      const struct column *column, struct buf *text)
{
    if (column != NULL)
        buf_printf(text, "column %.*s: ", STR_ARGS(column->name));
    else
        buf_printf(text, "field %zu: ", line->n + 1);
    buf_text(text, scan_text(scan, line));
}

enum status csv_check_schema(const struct schema *schema, struct err *err)
{
    for (size_t i = 0; i < schema->n; i++) {
        if (schema->columns[i].type == TYPE_BYTES)
            return err_set(err, ST_USAGE,
                           "column %.*s: BYTES cannot be read from CSV; declare it TEXT, "
                           "or use format 'avro'",
                           STR_ARGS(schema->columns[i].name));
    }
    return ST_OK;
}
