// SPDX-License-Identifier: Apache-2.0
#include "core/sketch.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

static void put_key(struct sketch_item *item, struct str key)
{
    size_t n = key.n < SKETCH_KEY_BYTES ? key.n : SKETCH_KEY_BYTES;
    if (n > 0)
        memcpy(item->key, key.p, n);
    item->n_key = (uint8_t)n;
    item->is_cut = n < key.n;
}

static struct sketch_item *rarest(struct sketch *sketch)
{
    struct sketch_item *item = &sketch->items[0];
    for (size_t i = 1; i < sketch->n; i++)
        if (sketch->items[i].count < item->count)
            item = &sketch->items[i];
    return item;
}

void sketch_add(struct sketch *sketch, struct str key, int64_t count)
{
    uint64_t hash = hash64(key.p, key.n);
    sketch->total += count;
    for (size_t i = 0; i < sketch->n; i++) {
        if (sketch->items[i].hash == hash) {
            sketch->items[i].count += count;
            return;
        }
    }
    bool is_new = sketch->n < SKETCH_KEYS;
    struct sketch_item *item = is_new ? &sketch->items[sketch->n++] : rarest(sketch);
    item->over = is_new ? 0 : item->count; // so often it may have been left out
    item->count = item->over + count;
    item->hash = hash;
    put_key(item, key);
}

static int by_count(const void *a, const void *b)
{
    const struct sketch_item *x = a, *y = b;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return str_compare((struct str){x->key, x->n_key}, (struct str){y->key, y->n_key});
}

void sketch_sort(struct sketch *sketch)
{
    qsort(sketch->items, sketch->n, sizeof(*sketch->items), by_count);
}
