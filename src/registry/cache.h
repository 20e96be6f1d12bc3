// SPDX-License-Identifier: Apache-2.0
// Schemas by id, at most REGISTRY_CACHE_MAX; the one longest unused makes room. That an
// id is unknown is kept for REGISTRY_ABSENT_MS. One thread at a time.
#ifndef REGISTRY_CACHE_H
#define REGISTRY_CACHE_H

#include "avro/lookup.h"
#include "base/arena.h"

struct cached {
    int32_t id;
    uint64_t used;       // by the cache's count of uses
    int64_t absent_till; // monotonic; 0: the id is known
    struct arena arena;  // of the texts
    struct schema_texts texts;
};

struct cache {
    struct cached *items;
    size_t n, capacity;
    uint64_t uses;
};

void cache_release(struct cache *cache);
// NULL: not there, or its absence is too long ago.
struct cached *cache_find(struct cache *cache, int32_t id, int64_t now_ms);
// A place for an id that is not there; the caller fills it in.
struct cached *cache_add(struct cache *cache, int32_t id);

#endif
