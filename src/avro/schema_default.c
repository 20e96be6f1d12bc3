// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "avro/schema_parse.h"
#include "avro/wire.h"

enum {
    SHOWN_MAX = 60 // bytes of a wrong default in a message
};

struct default_writer {
    struct avro_default_budget *budget;
    struct buf *datum;
    struct buf *reason;
    int depth;
};

static bool write_default(struct default_writer *w, const struct avro_type *type,
                          const json_t *value);

static bool mismatch(struct default_writer *w, const struct avro_type *type,
                     const json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    struct str shown = str_of(text ? text : "?");
    if (shown.n > SHOWN_MAX)
        shown.n = str_utf8_valid((struct str){shown.p, SHOWN_MAX});
    buf_str(w->reason, shown);
    buf_text(w->reason, " is not a value of ");
    avro_type_describe(type, w->reason);
    free(text);
    return false;
}

static bool is_spent(struct default_writer *w)
{
    if (!w->datum->full && w->budget->n_values != 0)
        return false;
    buf_clear(w->reason);
    buf_text(w->reason, "the schema's defaults are too long in sum");
    return true;
}

static bool write_integer(struct default_writer *w, const struct avro_type *type,
                          const json_t *value)
{
    json_int_t i = json_integer_value(value);
    bool fits = type->kind == AVRO_LONG || (i >= INT32_MIN && i <= INT32_MAX);
    if (!json_is_integer(value) || !fits)
        return mismatch(w, type, value);
    wire_put_long(w->datum, i);
    return true;
}

static bool write_real(struct default_writer *w, const struct avro_type *type,
                       const json_t *value)
{
    if (!json_is_number(value))
        return mismatch(w, type, value);
    double number = json_number_value(value);
    if (type->kind == AVRO_DOUBLE)
        wire_put_double(w->datum, number);
    else
        wire_put_float(w->datum, (float)number);
    return true;
}

// Code points 0 to 255 stand for bytes.
static bool bytes_of_text(struct str text, struct buf *ret)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char byte = (unsigned char)text.p[i];
        if (byte >= 0x80) {
            if ((byte != 0xC2 && byte != 0xC3) || i + 1 == text.n)
                return false;
            byte = (unsigned char)((byte << 6) | (text.p[++i] & 0x3F));
        }
        buf_char(ret, (char)byte);
    }
    return true;
}

static bool write_bytes(struct default_writer *w, const struct avro_type *type,
                        const json_t *value)
{
    struct buf bytes = BUF_INIT(AVRO_TEXT_MAX);
    bool good = json_is_string(value) && bytes_of_text(json_as_str(value), &bytes) &&
                (type->kind == AVRO_BYTES || bytes.n == type->size);
    if (good && type->kind == AVRO_BYTES)
        wire_put_bytes(w->datum, buf_as_str(&bytes));
    else if (good)
        buf_str(w->datum, buf_as_str(&bytes));
    buf_release(&bytes);
    return good || mismatch(w, type, value);
}

static bool write_symbol(struct default_writer *w, const struct avro_type *type,
                         const json_t *value)
{
    int symbol = json_is_string(value) ? avro_symbol_find(type, json_as_str(value)) : -1;
    if (symbol < 0)
        return mismatch(w, type, value);
    wire_put_long(w->datum, symbol);
    return true;
}

static bool write_items(struct default_writer *w, const struct avro_type *type,
                        const json_t *value)
{
    if (!json_is_array(value))
        return mismatch(w, type, value);
    size_t n = json_array_size(value);
    if (n > 0)
        wire_put_long(w->datum, (int64_t)n);
    for (size_t i = 0; i < n; i++)
        if (!write_default(w, type->items, json_array_get(value, i)))
            return false;
    wire_put_long(w->datum, 0);
    return true;
}

static bool write_map(struct default_writer *w, const struct avro_type *type,
                      const json_t *value)
{
    if (!json_is_object(value))
        return mismatch(w, type, value);
    size_t n = json_object_size(value);
    if (n > 0)
        wire_put_long(w->datum, (int64_t)n);
    const char *key;
    json_t *item;
    json_object_foreach((json_t *)value, key, item)
    {
        wire_put_bytes(w->datum, str_of(key));
        if (!write_default(w, type->items, item))
            return false;
    }
    wire_put_long(w->datum, 0);
    return true;
}

// Fields that the object leaves out have their own defaults.
static bool write_record(struct default_writer *w, const struct avro_type *type,
                         const json_t *value)
{
    if (!json_is_object(value))
        return mismatch(w, type, value);
    for (size_t i = 0; i < type->n; i++) {
        const struct avro_field *field = &type->fields[i];
        const json_t *item = json_object_get(value, field->name.p);
        if (item != NULL) {
            if (!write_default(w, field->type, item))
                return false;
        } else if (is_spent(w)) {
            return false;
        } else if (field->has_default && field->default_bytes.p != NULL) {
            buf_str(w->datum, field->default_bytes);
            w->budget->n_values--;
        } else {
            buf_printf(w->reason, "field '%.*s' is missing", STR_ARGS(field->name));
            return false;
        }
    }
    return true;
}

static bool write_union(struct default_writer *w, const struct avro_type *type,
                        const json_t *value)
{
    wire_put_long(w->datum, 0);
    if (type->branches[0]->kind == AVRO_NULL && !json_is_null(value)) {
        mismatch(w, type->branches[0], value);
        buf_text(w->reason, ", the union's first branch");
        return false;
    }
    return write_default(w, type->branches[0], value);
}

static bool write_of_kind(struct default_writer *w, const struct avro_type *type,
                          const json_t *value)
{
    switch (type->kind) {
    case AVRO_NULL:
        return json_is_null(value) || mismatch(w, type, value);
    case AVRO_BOOLEAN:
        buf_char(w->datum, json_is_true(value));
        return json_is_boolean(value) || mismatch(w, type, value);
    case AVRO_INT:
    case AVRO_LONG:
        return write_integer(w, type, value);
    case AVRO_FLOAT:
    case AVRO_DOUBLE:
        return write_real(w, type, value);
    case AVRO_STRING:
        wire_put_bytes(w->datum, json_as_str(value));
        return json_is_string(value) || mismatch(w, type, value);
    case AVRO_BYTES:
    case AVRO_FIXED:
        return write_bytes(w, type, value);
    case AVRO_ENUM:
        return write_symbol(w, type, value);
    case AVRO_ARRAY:
        return write_items(w, type, value);
    case AVRO_MAP:
        return write_map(w, type, value);
    case AVRO_RECORD:
        return write_record(w, type, value);
    case AVRO_UNION:
        return write_union(w, type, value);
    }
    return false;
}

static bool write_default(struct default_writer *w, const struct avro_type *type,
                          const json_t *value)
{
    if (w->depth == AVRO_DEPTH_MAX) {
        buf_printf(w->reason, "more than %d deep", AVRO_DEPTH_MAX);
        return false;
    }
    if (is_spent(w))
        return false;
    w->budget->n_values--;
    w->depth++;
    bool good = write_of_kind(w, type, value);
    w->depth--;
    return good;
}

bool avro_default_encode(const struct avro_type *type, const json_t *value,
                         struct avro_default_budget *budget, struct buf *datum,
                         struct buf *reason)
{
    struct default_writer writer = {.budget = budget, .datum = datum, .reason = reason};
    datum->limit = budget->n_bytes + 1; // 0 would be no limit
    bool good = write_default(&writer, type, value) && !is_spent(&writer);
    if (good)
        budget->n_bytes -= datum->n < budget->n_bytes ? datum->n : budget->n_bytes;
    return good;
}
