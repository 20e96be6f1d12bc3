// SPDX-License-Identifier: Apache-2.0
#include "work/told_row.h"

#define MARK '\1'

size_t told_row_ends(struct str piece)
{
    size_t n = 0;
    for (size_t i = 0; i < piece.n; i++)
        n += piece.p[i] == '\0';
    return n;
}

static bool read_text(struct str field, struct value *ret)
{
    if (field.n > 0 && field.p[0] == MARK)
        field = (struct str){field.p + 1, field.n - 1};
    *ret = value_text(field);
    return field.n < UINT32_MAX && str_utf8_valid(field) == field.n;
}

static bool read_integer(struct str field, struct value *ret)
{
    int64_t number;
    bool is = str_to_i64(field, &number);
    *ret = value_int(is ? number : 0);
    return is;
}

static bool read_boolean(struct str field, struct value *ret)
{
    bool is = str_is(field, "true");
    *ret = (struct value){.i = is, .kind = VALUE_BOOL};
    return is || str_is(field, "false");
}

static bool read_field(enum type type, struct str field, struct value *ret)
{
    *ret = (struct value){0};
    if (field.n == 1 && field.p[0] == MARK)
        return true;
    switch (type) {
    case TYPE_TEXT:
        return read_text(field, ret);
    case TYPE_INT:
    case TYPE_BIGINT:
        return read_integer(field, ret);
    case TYPE_BOOLEAN:
        return read_boolean(field, ret);
    default:
        return false;
    }
}

static enum status other_fields(struct err *err)
{
    return err_set(err, ST_DATA,
                   "Spark SQL gave a row of other fields than the columns of the result");
}

enum status told_row_read(const struct schema *schema, struct str text, struct value *row,
                          struct err *err)
{
    for (size_t i = 0; i < schema->n; i++) {
        const char *end = text.n > 0 ? memchr(text.p, '\0', text.n) : NULL;
        if (end == NULL)
            return other_fields(err);
        struct str field = {text.p, (size_t)(end - text.p)};
        if (!read_field(schema->columns[i].type, field, &row[i]))
            return err_set(err, ST_DATA,
                           "Spark SQL gave a value of another type for column '%.*s'",
                           STR_ARGS(schema->columns[i].name));
        text = (struct str){end + 1, text.n - field.n - 1};
    }
    return text.n == 0 ? ST_OK : other_fields(err);
}
