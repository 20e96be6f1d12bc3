// SPDX-License-Identifier: Apache-2.0
// Makes forged entries out of real ones: each place of the JSON, each of many values, a
// checksum that holds. For test_log_hostile and fuzz_log_entry.
#ifndef TESTS_HOSTILE_ENTRY_H
#define TESTS_HOSTILE_ENTRY_H

#include <jansson.h>
#include <stdlib.h>

#include "base/mem.h"
#include "log/log_entry.h"

// Values.

static inline json_t *hostile_text(size_t n)
{
    char *text = mem_alloc(n);
    memset(text, 'a', n);
    json_t *json = json_stringn(text, n);
    free(text);
    return json;
}

static inline json_t *hostile_many(json_t *item, size_t n)
{
    json_t *array = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append(array, item);
    json_decref(item);
    return array;
}

static inline json_t *hostile_nested(int levels)
{
    json_t *json = json_array();
    for (int i = 1; i < levels; i++) {
        json_t *outer = json_array();
        json_array_append_new(outer, json);
        json = outer;
    }
    return json;
}

static const char *const hostile_names[] = {
    "",
    ".",
    "..",
    "/",
    "/etc/passwd",
    "../r2/part-00000000000000000003-0.avro",
    "precious/a",
    "other",
    "_tramline",
    "_tramline/tmp",
    "_tramline/tmp/keep/b",
    "_tramline/log/000000/00000000000000000000.json",
    "_tramline/dead/00000000000000000003-0.jsonl",
    "_tramline/tmp/../../etc/passwd",
    "_tramline/tmp/00000000-0000-4000-8000-00000000000a/../x",
    "_tramline/tmp/00000000-0000-4000-8000-00000000000a/b",
    ("_tramline/tmp/00000000-0000-4000-8000-00000000000a/"
     "00000000-0000-4000-8000-00000000000b"),
    "00000000-0000-4000-8000-00000000000A",
    "00000000-0000-1000-8000-00000000000a",
    "00000000-0000-4000-8000-00000000000a/",
    "{00000000-0000-4000-8000-00000000000a}",
    "part-00000000000000000003-0.avro/",
    "./part-00000000000000000003-0.avro",
    "part-00000000000000000003-0.avro/../../x",
    "part-00000000000000000003-7.avro",
    "part-00000000000000000003-00.avro",
    "part-3-0.avro",
    "part-00000000000000000099-0.avro",
    "part-00000000000000000003-0.sh",
    "part-00000000000000000003-0.avro\n",
    "Part-00000000000000000003-0.avro",
    "day=2026-09-22/part-00000000000000000003-0.avro",
    "day=9999-99-99/part-00000000000000000003-0.avro",
    "day=../part-00000000000000000003-0.avro",
    "link/part-00000000000000000003-0.avro",
    "a\x1b[2Jb",
};

// None of them is a name that the program makes for what it stands at.
static inline json_t *hostile_name(size_t i)
{
    if (i < ARRAY_LEN(hostile_names))
        return json_string(hostile_names[i]);
    static const size_t lengths[] = {127, 128, 255, 3000};
    i -= ARRAY_LEN(hostile_names);
    return i < ARRAY_LEN(lengths) ? hostile_text(lengths[i]) : NULL;
}

static inline json_t *hostile_value(size_t i)
{
    static const json_int_t numbers[] = {-1,
                                         0,
                                         1,
                                         7,
                                         99999,
                                         100000,
                                         INT32_MAX,
                                         INT32_MAX + INT64_C(1),
                                         UINT32_MAX,
                                         ENTRY_NUMBER_MAX - 1,
                                         ENTRY_NUMBER_MAX,
                                         ENTRY_NUMBER_MAX + 1,
                                         INT64_MAX - 1,
                                         INT64_MAX,
                                         INT64_MIN,
                                         INT64_MIN + 1};
    if (i < ARRAY_LEN(numbers))
        return json_integer(numbers[i]);
    switch (i - ARRAY_LEN(numbers)) {
    case 0:
        return json_real(1.5);
    case 1:
        return json_real(1e300);
    case 2:
        return json_string("7");
    case 3:
        return json_null();
    case 4:
        return json_true();
    case 5:
        return json_array();
    case 6:
        return json_object();
    case 7:
        return hostile_many(json_integer(1), 200);
    case 8:
        return hostile_many(json_object(), 200);
    case 9:
        return hostile_nested(480);
    case 10:
        return hostile_nested(600);
    default:
        return NULL;
    }
}

// Costs time: for the last entry only.
static inline json_t *hostile_large(size_t i)
{
    switch (i) {
    case 0:
        return hostile_text(ENTRY_TEXT_MAX);
    case 1:
        return hostile_text(ENTRY_TEXT_MAX + 1);
    case 2:
        return hostile_many(json_integer(1), 20000);
    case 3:
        return hostile_many(json_object(), 20000);
    default:
        return NULL;
    }
}

// Places.

struct place {
    json_t *parent;
    const char *key; // NULL: of an array
    size_t index;
};

static inline json_t *place_value(struct place place)
{
    return place.key != NULL ? json_object_get(place.parent, place.key)
                             : json_array_get(place.parent, place.index);
}

static inline void place_set(struct place place, json_t *value)
{
    if (place.key != NULL)
        json_object_set(place.parent, place.key, value);
    else
        json_array_set(place.parent, place.index, value);
}

struct places {
    struct place *items;
    size_t n, capacity;
};

static inline void places_find(json_t *value, struct places *ret)
{
    const char *key;
    json_t *item;
    size_t i;
    json_object_foreach(value, key, item)
    {
        MEM_GROW(ret->items, ret->n, ret->capacity);
        ret->items[ret->n++] = (struct place){value, key, 0};
        places_find(item, ret);
    }
    json_array_foreach(value, i, item)
    {
        MEM_GROW(ret->items, ret->n, ret->capacity);
        ret->items[ret->n++] = (struct place){value, NULL, i};
        places_find(item, ret);
    }
}

// The text of an entry with a checksum that holds.
static inline struct str entry_seal(json_t *entry, struct buf *ret)
{
    char digits[SHA256_HEX] = "";
    memset(digits, '0', SHA256_HEX - 1);
    buf_clear(ret);
    json_object_set_new(entry, "checksum", json_string(digits));
    char *text = json_dumps(entry, JSON_COMPACT);
    buf_text(ret, text);
    free(text);
    sha256_hex(ret->p, ret->n, digits);
    char *place = memmem(ret->p, ret->n, "\"checksum\":\"0000", 16);
    memcpy(place + 12, digits, SHA256_HEX - 1);
    return buf_as_str(ret);
}

#endif
