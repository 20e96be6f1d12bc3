// SPDX-License-Identifier: Apache-2.0
#include "registry/cache.h"

#include <stdlib.h>

#include "registry/registry.h"

static struct cached *find(struct cache *cache, const struct schema_key *key)
{
    for (size_t i = 0; i < cache->n; i++)
        if (schema_key_eq(&cache->items[i].key, key))
            return &cache->items[i];
    return NULL;
}

struct cached *cache_find(struct cache *cache, const struct schema_key *key)
{
    struct cached *item = find(cache, key);
    if (item == NULL)
        return NULL;
    item->used = ++cache->uses;
    return item;
}

static struct cached *oldest(struct cache *cache)
{
    struct cached *item = &cache->items[0];
    for (size_t i = 1; i < cache->n; i++)
        if (cache->items[i].used < item->used)
            item = &cache->items[i];
    return item;
}

static size_t bytes_of(const struct cache *cache)
{
    size_t n_bytes = 0;
    for (size_t i = 0; i < cache->n; i++)
        n_bytes += cache->items[i].arena.n_bytes;
    return n_bytes;
}

void cache_make_room(struct cache *cache, size_t n_bytes)
{
    while (cache->n > 0 && bytes_of(cache) + n_bytes > REGISTRY_CACHE_BYTES) {
        struct cached *item = oldest(cache);
        arena_release(&item->arena);
        *item = cache->items[--cache->n];
    }
}

struct cached *cache_add(struct cache *cache, const struct schema_key *key)
{
    struct cached *item = find(cache, key); // known as absent
    if (item == NULL && cache->n == REGISTRY_CACHE_MAX)
        item = oldest(cache);
    if (item == NULL) {
        MEM_GROW(cache->items, cache->n, cache->capacity);
        item = &cache->items[cache->n++];
    } else {
        arena_release(&item->arena);
    }
    *item = (struct cached){.key = *key, .used = ++cache->uses};
    return item;
}

void cache_release(struct cache *cache)
{
    for (size_t i = 0; i < cache->n; i++)
        arena_release(&cache->items[i].arena);
    free(cache->items);
    *cache = (struct cache){0};
}
