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

// The key's item, which counts so many more then; NULL: it has none.
static struct sketch_item *count_known(struct sketch *sketch, uint64_t hash,
                                       int64_t count)
{
    for (size_t i = 0; i < sketch->n; i++) {
        if (sketch->items[i].hash == hash) {
            sketch->items[i].count += count;
            return &sketch->items[i];
        }
    }
    return NULL;
}

static struct sketch_item *take_place(struct sketch *sketch, uint64_t hash, int64_t count)
{
    bool is_new = sketch->n < SKETCH_KEYS;
    struct sketch_item *item = is_new ? &sketch->items[sketch->n++] : rarest(sketch);
    item->over = is_new ? 0 : item->count; // so often it may have been left out
    item->count = item->over + count;
    item->hash = hash;
    return item;
}

void sketch_add(struct sketch *sketch, struct str key, int64_t count)
{
    uint64_t hash = hash64(key.p, key.n);
    sketch->total += count;
    if (count_known(sketch, hash, count) == NULL)
        put_key(take_place(sketch, hash, count), key);
}

void sketch_add_item(struct sketch *sketch, const struct sketch_item *item)
{
    struct sketch_item *to = count_known(sketch, item->hash, item->count);
    if (to == NULL) {
        to = take_place(sketch, item->hash, item->count);
        put_key(to, (struct str){item->key, item->n_key});
        to->is_cut = item->is_cut;
    }
    to->over += item->over;
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
