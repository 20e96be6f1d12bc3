// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <math.h>

#include "avro/logical.h"
#include "avro/row_format.h"
#include "avro/wire.h"

static bool put_symbol(const struct avro_cell *cell, struct value v, struct buf *out)
{
    int symbol = avro_symbol_find(cell->type, value_str(v));
    wire_put_long(out, symbol);
    return symbol >= 0;
}

static bool put_number(const struct avro_cell *cell, struct value v, struct buf *out)
{
    int64_t number = 0;
    bool good = logical_parse_number(cell->type->logical, value_str(v), &number);
    wire_put_long(out, number);
    return good;
}

static bool put_decimal(const struct avro_cell *cell, struct value v, struct buf *out)
{
    struct buf bytes = {0};
    uint32_t size = cell->type->kind == AVRO_FIXED ? cell->type->size : 0;
    bool good = logical_parse_decimal(value_str(v), cell->type, size, &bytes);
    if (size == 0)
        wire_put_bytes(out, buf_as_str(&bytes));
    else
        buf_str(out, buf_as_str(&bytes));
    buf_release(&bytes);
    return good;
}

static bool put_duration(struct value v, struct buf *out)
{
    uint8_t bytes[AVRO_DURATION_BYTES];
    if (!logical_parse_duration(value_str(v), bytes))
        return false;
    buf_append(out, bytes, sizeof(bytes));
    return true;
}

static bool put_float(struct value v, struct buf *out)
{
    float rounded = (float)v.r;
    wire_put_float(out, rounded);
    return isfinite(rounded);
}

static bool put_int(struct value v, struct buf *out)
{
    wire_put_long(out, v.i);
    return v.i >= INT32_MIN && v.i <= INT32_MAX;
}

static bool put_value(const struct avro_cell *cell, struct value v, struct buf *out)
{
    switch (cell->code) {
    case CELL_BYTES:
        break; // put_bytes
    case CELL_LONG:
        wire_put_long(out, v.i);
        return true;
    case CELL_INT:
        return put_int(v, out);
    case CELL_REAL:
        wire_put_double(out, v.kind == VALUE_INT ? (double)v.i : v.r);
        return true;
    case CELL_FLOAT:
        return put_float(v, out);
    case CELL_BOOLEAN:
        buf_char(out, v.i != 0);
        return true;
    case CELL_FIXED:
        buf_str(out, value_str(v));
        return v.n == cell->type->size;
    case CELL_ENUM:
        return put_symbol(cell, v, out);
    case CELL_UUID:
        wire_put_bytes(out, value_str(v));
        return logical_is_uuid(value_str(v));
    case CELL_NUMBER:
        return put_number(cell, v, out);
    case CELL_DECIMAL:
        return put_decimal(cell, v, out);
    case CELL_DURATION:
        return put_duration(v, out);
    }
    return false;
}

// Prefix, length and bytes at once: most of what is written is text.
static void put_bytes(const struct avro_cell *cell, struct value v, struct buf *out)
{
    char *room = buf_room(out, CELL_PREFIX_MAX + WIRE_LONG_MAX + (size_t)v.n);
    if (UNLIKELY(room == NULL))
        return;
    char *p = room;
    for (size_t i = 0; i < cell->n_value_prefix; i++)
        *p++ = (char)cell->value_prefix[i];
    p += wire_format_long(v.n, p);
    if (v.n != 0)
        memcpy(p, v.p, v.n);
    out->n += (size_t)(p - room) + v.n;
}

bool avro_cell_put(const struct avro_cell *cell, struct value v, struct buf *out)
{
    if (LIKELY(cell->code == CELL_BYTES && v.kind != VALUE_NULL)) {
        put_bytes(cell, v, out);
        return true;
    }
    if (v.kind == VALUE_NULL) {
        buf_append(out, cell->null_prefix, cell->n_null_prefix);
        return cell->nullable;
    }
    if (cell->n_value_prefix == 1)
        buf_char(out, (char)cell->value_prefix[0]);
    else if (cell->n_value_prefix > 1)
        buf_append(out, cell->value_prefix, cell->n_value_prefix);
    return put_value(cell, v, out);
}

enum {
    SHOWN_MAX = 80 // bytes of a value in a message
};

void avro_cell_why(const struct avro_row_format *format, size_t column, struct value v,
                   struct buf *ret)
{
    const struct avro_cell *cell = &format->cells[column];
    buf_printf(ret, "column '%.*s': ", STR_ARGS(format->columns.columns[column].name));
    if (v.kind == VALUE_NULL) {
        buf_text(ret, "NULL, but the field takes no null");
        return;
    }
    struct buf shown = {0};
    if (v.kind == VALUE_BYTES)
        buf_printf(&shown, "a value of %u bytes", v.n);
    else
        value_format(v, &shown);
    if (shown.n > SHOWN_MAX)
        shown.n = str_utf8_valid((struct str){shown.p, SHOWN_MAX});
    const char *quote = v.kind == VALUE_TEXT ? "'" : "";
    buf_printf(ret, "%s%.*s%s is not a value of ", quote, STR_ARGS(buf_as_str(&shown)),
               quote);
    avro_type_describe(cell->type, ret);
    buf_release(&shown);
}
