// SPDX-License-Identifier: Apache-2.0
#include "log/fields.h"

#include <assert.h>

json_t *json_of_text(struct str text)
{
    json_t *json = json_stringn(text.p ? text.p : "", text.n);
    return json ? json : json_null();
}

void put_text(json_t *object, const char *key, struct str text)
{
    json_object_set_new(object, key, json_of_text(text));
}

void put_number(json_t *object, const char *key, int64_t number)
{
    json_object_set_new(object, key, json_integer(number));
}

static int append_piece(const char *piece, size_t n_bytes, void *buf)
{
    buf_append(buf, piece, n_bytes);
    return 0;
}

void fields_append(const json_t *object, struct buf *ret)
{
    int rc = json_dump_callback(object, append_piece, ret, JSON_COMPACT);
    assert(rc == 0);
    buf_char(ret, '\n');
}

void wrong(struct decoding *dec, const char *key, const char *wanted)
{
    if (dec->rc == ST_OK)
        dec->rc = err_set(dec->err, ST_DATA, "field '%s' is not %s", key, wanted);
}

struct str get_text(struct decoding *dec, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_string(value)) {
        wrong(dec, key, "a text");
        return (struct str){"", 0};
    }
    struct str text = json_as_str(value);
    if (text.n > ENTRY_TEXT_MAX)
        wrong(dec, key, "at most 1048576 bytes long");
    return arena_str(dec->arena, text);
}

int64_t get_number(struct decoding *dec, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    int64_t number = json_integer_value(value);
    if (json_is_integer(value) && number >= 0 && number <= ENTRY_NUMBER_MAX)
        return number;
    wrong(dec, key, "a whole number from 0 to 10^18");
    return 0;
}

const json_t *get_array(struct decoding *dec, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_array(value))
        wrong(dec, key, "an array");
    return value;
}

void get_hex(struct decoding *dec, const json_t *object, const char *key, size_t n_digits,
             char *ret)
{
    struct str text = get_text(dec, object, key);
    if (text.n != n_digits || strspn(text.p, "0123456789abcdef") < n_digits) {
        wrong(dec, key, "hex digits");
        text.n = 0;
    }
    memcpy(ret, text.p, text.n);
    ret[text.n] = '\0';
}

int32_t get_partition(struct decoding *dec, const json_t *object)
{
    int64_t number = get_number(dec, object, "partition");
    if (number >= ENTRY_PARTITION_MAX)
        wrong(dec, "partition", "below 100000");
    return (int32_t)number;
}
