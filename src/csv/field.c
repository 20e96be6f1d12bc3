// SPDX-License-Identifier: Apache-2.0
#include "csv/field.h"

#include <stdio.h>

enum {
    SHOW_MAX = 40,
    REAL_MAX = 399 // bytes; value_parse reads one more
};

static size_t digits_end(struct str s, size_t i)
{
    while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
        i++;
    return i;
}

// "+1.5", ".5", "5.", "007": what databases write, as the JSON number that it means.
static bool parse_loose_real(struct str s, struct value *ret)
{
    char json[REAL_MAX + 2];
    size_t n = 0;
    if (s.n == 0 || s.n > REAL_MAX)
        return false;
    if (s.p[0] == '-')
        json[n++] = '-';
    size_t from = s.p[0] == '-' || s.p[0] == '+';
    size_t to = digits_end(s, from);
    size_t point = to < s.n && s.p[to] == '.' ? to : s.n;
    size_t rest = point < s.n ? digits_end(s, point + 1) : to;
    if (to == from && rest <= point + 1)
        return false; // no digit on either side
    while (from + 1 < to && s.p[from] == '0')
        from++;
    if (to == from)
        json[n++] = '0';
    memcpy(json + n, s.p + from, to - from);
    n += to - from;
    if (rest <= point + 1)
        point = rest; // nothing after it, or none
    memcpy(json + n, s.p + point, s.n - point);
    return value_parse(TYPE_REAL, (struct str){json, n + s.n - point}, ret);
}

static bool parse_number(const struct column *column, struct str text, struct value *ret)
{
    text = str_trim(text);
    *ret = (struct value){0};
    if (text.n == 0)
        return column->nullable;
    return value_parse(column->type, text, ret) ||
           (column->type == TYPE_REAL && parse_loose_real(text, ret));
}

bool csv_value_other(const struct column *column, struct csv_field field, bool plain,
                     struct arena *arena, struct value *ret)
{
    if (column->type != TYPE_TEXT)
        return parse_number(column, csv_text(field, arena), ret);
    if (field.n == 0 && !field.quoted) {
        *ret = (struct value){0};
        return column->nullable;
    }
    struct str text = csv_text(field, arena);
    if (!plain)
        return value_parse(TYPE_TEXT, text, ret);
    *ret = value_text(text);
    return true;
}

struct csv_field csv_trimmed(struct csv_field field)
{
    while (field.n > 0 && (field.p[0] == ' ' || field.p[0] == '\t')) {
        field.p++;
        field.n--;
    }
    while (field.n > 0 && (field.p[field.n - 1] == ' ' || field.p[field.n - 1] == '\t'))
        field.n--;
    return field;
}

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

COLD void csv_note_padded(struct padded_texts *padded, struct value value)
{
    if (padded->n == 0) {
        AUTO(buf_release) struct buf text = {0};
        csv_show(value_str(value), &text);
        snprintf(padded->first, sizeof(padded->first), "%s", buf_cstr(&text));
    }
    padded->n++;
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
    struct str value = csv_raw(field);
    if (column->type != TYPE_TEXT)
        value = str_trim(value);
    buf_printf(text, "column %.*s", STR_ARGS(column->name));
    if (value.n == 0) {
        buf_text(text, " is NOT NULL and has no value");
        return;
    }
    buf_text(text, ": ");
    csv_show(csv_raw(field), text);
    if (column->type == TYPE_TEXT)
        explain_text(csv_raw(field), text);
    else
        explain_type(column->type, value, text);
}

static const char *scan_text(enum csv_scan scan, const struct csv_line *line)
{
    switch (scan) {
    case CSV_AFTER_QUOTE:
        if (line->n_breaks > 0)
            break; // what looks like its end is the next quote, lines below
        return "text after the closing quote; a quote inside quotes is written twice";
    case CSV_STRAY_CR:
        return "a carriage return without a line feed; quote the field, or where it "
               "ends the line, mend the file: tr '\\r' '\\n'";
    case CSV_CR_CR_LF:
        return "the line ends with CR CR LF; mend the file: sed 's/\\r*$//'";
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
    bool is_of_line = scan == CSV_CR_CR_LF; // no matter which column is the last
    if (!is_of_line && column != NULL)
        buf_printf(text, "column %.*s: ", STR_ARGS(column->name));
    else if (!is_of_line)
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
