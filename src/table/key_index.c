// SPDX-License-Identifier: Apache-2.0
#include "table/key_index.h"

#include <stdlib.h>

enum {
    SLOTS_MIN = 16
};

static const size_t KEYS_LIMIT = (size_t)UINT32_MAX * KEY_ALIGNMENT;

void key_index_init(struct key_index *index)
{
    *index = (struct key_index){.slots = mem_array(SLOTS_MIN, sizeof(struct key_slot)),
                                .mask = SLOTS_MIN - 1,
                                .keys = BUF_INIT(KEYS_LIMIT)};
}

void key_index_release(struct key_index *index)
{
    free(index->slots);
    buf_release(&index->keys);
    *index = (struct key_index){0};
}

size_t key_index_bytes(const struct key_index *index)
{
    return (index->mask + 1) * sizeof(struct key_slot) + index->keys.n;
}

static struct key_slot *first_empty(struct key_index *index, uint64_t hash)
{
    size_t i = hash & index->mask;
    while (index->slots[i].value != 0)
        i = (i + 1) & index->mask;
    return &index->slots[i];
}

// A slot keeps only half of its hash: the keys are hashed again.
static void grow(struct key_index *index)
{
    struct key_slot *old = index->slots;
    size_t n_old = index->mask + 1;
    index->slots = mem_array(2 * n_old, sizeof(*old));
    index->mask = 2 * n_old - 1;
    for (size_t i = 0; i < n_old; i++) {
        if (old[i].value == 0)
            continue;
        struct str key = key_index_key(index, &old[i]);
        *first_empty(index, hash64(key.p, key.n)) = old[i];
    }
    free(old);
}

static bool keep_key(struct key_index *index, struct str key, uint32_t *ret_at)
{
    static const char zeros[KEY_ALIGNMENT] = {0};
    *ret_at = (uint32_t)(index->keys.n / KEY_ALIGNMENT);
    buf_append(&index->keys, key.p, key.n);
    buf_append(&index->keys, zeros, -key.n % KEY_ALIGNMENT);
    return !index->keys.full;
}

struct key_slot *key_index_add(struct key_index *index, uint64_t hash, struct str key)
{
    if (2 * index->n_keys > index->mask)
        grow(index);
    size_t i = hash & index->mask;
    for (; index->slots[i].value != 0; i = (i + 1) & index->mask) {
        struct key_slot *slot = &index->slots[i];
        if (slot->tag == hash >> 32 && str_eq(key_index_key(index, slot), key))
            return slot;
    }
    struct key_slot *slot = &index->slots[i];
    if (!keep_key(index, key, &slot->at))
        return NULL;
    slot->tag = (uint32_t)(hash >> 32);
    slot->n = (uint32_t)key.n;
    index->n_keys++;
    return slot;
}

bool key_of_columns(const struct value *row, const size_t *columns, size_t n,
                    struct buf *key)
{
    for (size_t i = 0; i < n; i++) {
        struct value value = row[columns[i]];
        struct str part = key_of_value(&value);
        if (part.p == NULL)
            return false;
        uint32_t size = (uint32_t)part.n;
        buf_append(key, &size, sizeof(size)); // keeps ("a", "bc") and ("ab", "c") apart
        buf_str(key, part);
    }
    return true;
}

static void describe_part(const struct column *column, struct str part, struct buf *text)
{
    if (column->type == TYPE_TEXT || column->type == TYPE_BYTES) {
        buf_printf(text, "'%.*s'", STR_ARGS(part));
        return;
    }
    struct value value = {.kind = type_kind(column->type)};
    memcpy(&value.i, part.p, sizeof(value.i));
    value_format(value, text);
}

void key_describe(const struct column *columns, size_t n, struct str key,
                  struct buf *text)
{
    if (n == 1) {
        describe_part(&columns[0], key, text);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t size;
        memcpy(&size, key.p, sizeof(size));
        struct str part = {key.p + sizeof(size), size};
        buf_text(text, i ? ", " : "");
        describe_part(&columns[i], part, text);
        key = (struct str){part.p + size, key.n - sizeof(size) - size};
    }
}
