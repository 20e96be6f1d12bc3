// SPDX-License-Identifier: Apache-2.0
// Key index: the bytes of a key -> a number that its owner chose, not 0.
//
// Open addressing with linear probing, at most half full. A slot is 16 bytes (four to a
// cache line) and holds the upper half of the hash, so that a foreign key's bytes are
// hardly ever looked at. Keys are only added. key_of_* make the bytes of a key.
// Threads: one while keys are added; find and prefetch then from any number.
#ifndef TABLE_KEY_INDEX_H
#define TABLE_KEY_INDEX_H

#include "base/hash.h"
#include "base/word.h"
#include "core/schema.h"

struct key_slot {
    uint32_t tag;   // upper half of the hash
    uint32_t value; // 0: the slot is empty
    uint32_t at;    // where the key's bytes are, in units of KEY_ALIGNMENT
    uint32_t n;     // of them
};

struct key_index {
    struct key_slot *slots;
    size_t mask; // number of slots - 1
    size_t n_keys;
    struct buf keys; // the bytes of all keys
};

enum {
    KEY_ALIGNMENT = 4
};

void key_index_init(struct key_index *index);
void key_index_release(struct key_index *index);
// The key's slot; its value is 0 when the key is new: the caller sets it. Valid until the
// next call. NULL when the keys take more than 16 GiB.
struct key_slot *key_index_add(struct key_index *index, uint64_t hash, struct str key);
size_t key_index_bytes(const struct key_index *index); // of memory

static inline struct str key_index_key(const struct key_index *index,
                                       const struct key_slot *slot)
{
    return (struct str){index->keys.p + (size_t)slot->at * KEY_ALIGNMENT, slot->n};
}

static inline void key_index_prefetch(const struct key_index *index, uint64_t hash)
{
    __builtin_prefetch(&index->slots[hash & index->mask]);
}

// The key's value, 0 when there is no such key.
static inline uint32_t key_index_find(const struct key_index *index, uint64_t hash,
                                      struct str key)
{
    for (size_t i = hash & index->mask;; i = (i + 1) & index->mask) {
        const struct key_slot *slot = &index->slots[i];
        if (slot->value == 0)
            return 0;
        if (slot->tag == hash >> 32 && word_str_eq(key_index_key(index, slot), key))
            return slot->value;
    }
}

// The key of one column: its own bytes (text) or those of its number, which stay in
// `*value`. NULL gives p == NULL.
static inline struct str key_of_value(struct value *value)
{
    switch (value->kind) {
    case VALUE_NULL:
        return (struct str){0};
    case VALUE_TEXT:
    case VALUE_BYTES:
        return (struct str){value->p ? value->p : "", value->n};
    case VALUE_REAL:
        value->r += 0.0; // -0 equals 0
        break;
    default:
        break;
    }
    return (struct str){(const char *)&value->i, sizeof(value->i)};
}

// The key of several columns of a row, appended to `key`. False when one of them is NULL.
bool key_of_columns(const struct value *row, const size_t *columns, size_t n,
                    struct buf *key);
// Appends a key as text for a person: "'12', 5". `columns` are the key's.
void key_describe(const struct column *columns, size_t n, struct str key,
                  struct buf *text);

#endif
