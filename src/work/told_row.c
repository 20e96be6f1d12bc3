// SPDX-License-Identifier: Apache-2.0
#include "work/told_row.h"

#include <stdio.h>

#include "core/json.h"

// As it is nearly always.

static bool cut_byte(struct str *text, char byte)
{
    if (text->n == 0 || text->p[0] != byte)
        return false;
    text->p++;
    text->n--;
    return true;
}

static bool cut_word(struct str *text, const char *word)
{
    size_t n = strlen(word);
    if (text->n < n || memcmp(text->p, word, n) != 0)
        return false;
    text->p += n;
    text->n -= n;
    return true;
}

// "c12": a number without leading zeros.
static bool cut_name(struct str *text, size_t *ret)
{
    size_t n = 0;
    if (!cut_word(text, "\"c"))
        return false;
    *ret = 0;
    while (n < text->n && n < 6 && text->p[n] >= '0' && text->p[n] <= '9')
        *ret = *ret * 10 + (size_t)(text->p[n++] - '0');
    if (n == 0 || (n > 1 && text->p[0] == '0'))
        return false;
    text->p += n;
    text->n -= n;
    return cut_word(text, "\":");
}

// Up to its quote; without escapes, and without what JSON wants to be escaped.
static bool cut_text(struct str *text, struct value *ret)
{
    size_t n = 0;
    unsigned char all = 0;
    if (!cut_byte(text, '"'))
        return false;
    while (n < text->n && text->p[n] != '"') {
        unsigned char byte = (unsigned char)text->p[n++];
        if (byte < 0x20 || byte == '\\')
            return false;
        all |= byte;
    }
    const struct str found = {text->p, n};
    if (n == text->n || n >= UINT32_MAX ||
        (all >= 0x80 && str_utf8_valid(found) != found.n))
        return false;
    *ret = value_text(found);
    text->p += n + 1;
    text->n -= n + 1;
    return true;
}

static bool cut_integer(struct str *text, struct value *ret)
{
    size_t n = 0;
    int64_t number;
    while (n < text->n && n < 20 &&
           (text->p[n] == '-' || (text->p[n] >= '0' && text->p[n] <= '9')))
        n++;
    const struct str found = {text->p, n};
    const char *digits = found.p + (n > 0 && found.p[0] == '-');
    if (!str_to_i64(found, &number) || (digits[0] == '0' && digits + 1 != found.p + n))
        return false;
    *ret = value_int(number);
    text->p += n;
    text->n -= n;
    return true;
}

static bool cut_boolean(struct str *text, struct value *ret)
{
    bool is = cut_word(text, "true");
    *ret = (struct value){.i = is, .kind = VALUE_BOOL};
    return is || cut_word(text, "false");
}

static bool cut_value(enum type type, struct str *text, struct value *ret)
{
    switch (type) {
    case TYPE_TEXT:
        return cut_text(text, ret);
    case TYPE_INT:
    case TYPE_BIGINT:
        return cut_integer(text, ret);
    case TYPE_BOOLEAN:
        return cut_boolean(text, ret);
    default:
        return false;
    }
}

bool told_row_plain(const struct schema *schema, struct str text, struct value *row)
{
    size_t next = 0, column;
    for (size_t i = 0; i < schema->n; i++)
        row[i] = (struct value){0};
    if (!cut_byte(&text, '{'))
        return false;
    if (cut_byte(&text, '}'))
        return text.n == 0;
    do {
        if (!cut_name(&text, &column) || column < next || column >= schema->n ||
            !cut_value(schema->columns[column].type, &text, &row[column]))
            return false;
        next = column + 1;
    } while (cut_byte(&text, ','));
    return cut_byte(&text, '}') && text.n == 0;
}

// Any row.

static bool value_of(enum type type, const json_t *json, struct value *ret)
{
    *ret = (struct value){0};
    if (json == NULL || json_is_null(json))
        return true;
    if (type == TYPE_TEXT && json_is_string(json) &&
        json_string_length(json) < UINT32_MAX)
        *ret = value_text(json_as_str(json));
    else if ((type == TYPE_INT || type == TYPE_BIGINT) && json_is_integer(json))
        *ret = value_int(json_integer_value(json));
    else if (type == TYPE_BOOLEAN && json_is_boolean(json))
        *ret = (struct value){.i = json_is_true(json), .kind = VALUE_BOOL};
    else
        return false;
    return true;
}

enum status told_row_read(const struct schema *schema, struct str text, struct value *row,
                          json_t **ret_json, struct err *err)
{
    json_error_t why;
    *ret_json = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(*ret_json))
        return err_set(err, ST_DATA, "a row that Spark SQL gave is no JSON object");
    for (size_t i = 0; i < schema->n; i++) {
        char name[24];
        snprintf(name, sizeof(name), "c%zu", i);
        if (!value_of(schema->columns[i].type, json_object_get(*ret_json, name), &row[i]))
            return err_set(err, ST_DATA,
                           "Spark SQL gave a value of another type for column '%.*s'",
                           STR_ARGS(schema->columns[i].name));
    }
    return ST_OK;
}
