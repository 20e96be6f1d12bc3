// SPDX-License-Identifier: Apache-2.0
// Schemas by id or GUID, at most REGISTRY_CACHE_MAX of them and REGISTRY_CACHE_BYTES; the
// one longest unused makes room. That one is unknown is kept for REGISTRY_ABSENT_MS. One
// thread at a time.
#ifndef REGISTRY_CACHE_H
#define REGISTRY_CACHE_H

#include "base/arena.h"
#include "core/schema_lookup.h"

struct cached {
    struct schema_key key;
    uint64_t used;    // by the cache's count of uses
    bool is_absent;   // the registry does not know the id; below of use only then
    bool is_given_up; // it was waited for, or never will be
    int64_t absent_since, absent_till; // monotonic
    struct arena arena;                // of the texts
    struct schema_texts texts;
};

struct cache {
    struct cached *items;
    size_t n, capacity;
    uint64_t uses;
};

void cache_release(struct cache *cache);
// NULL: not there.
struct cached *cache_find(struct cache *cache, const struct schema_key *key);
// Those longest unused go until so many bytes more have room.
void cache_make_room(struct cache *cache, size_t n_bytes);
// A place for a key that is not there, or known as absent; the caller fills it in.
struct cached *cache_add(struct cache *cache, const struct schema_key *key);

#endif
