// SPDX-License-Identifier: Apache-2.0
#include "log/letter_headers.h"

#include "base/text.h"
#include "core/json.h"

static bool take_header(const json_t *from, struct arena *arena,
                        struct letter_header *ret)
{
    const json_t *key = json_object_get(from, "key");
    const json_t *value = json_object_get(from, "value");
    AUTO(buf_release) struct buf bytes = {0};
    if (!json_is_string(key))
        return false;
    *ret = (struct letter_header){.key = arena_str(arena, json_as_str(key))};
    if (!json_is_string(value))
        return json_is_null(value);
    if (!text_base64_decode(&bytes, json_as_str(value)))
        return false;
    ret->value = bytes.n > 0 ? arena_str(arena, buf_as_str(&bytes)) : STR_LITERAL("");
    return true;
}

struct letter_header *letter_headers(struct str json, struct arena *arena, size_t *ret_n)
{
    json_t *array = json_loadb(json.p, json.n, 0, NULL);
    struct letter_header *headers =
        arena_array(arena, json_array_size(array), sizeof(*headers));
    *ret_n = 0;
    for (size_t i = 0; i < json_array_size(array); i++)
        *ret_n += take_header(json_array_get(array, i), arena, &headers[*ret_n]);
    json_decref(array);
    return headers;
}

struct str letter_header_value(struct str json, const char *key, struct arena *arena)
{
    size_t n;
    const struct letter_header *headers = letter_headers(json, arena, &n);
    while (n > 0 && !str_is(headers[n - 1].key, key))
        n--;
    return n > 0 ? headers[n - 1].value : (struct str){0};
}
