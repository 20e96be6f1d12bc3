// SPDX-License-Identifier: Apache-2.0
#include "table/blob_store.h"

#include <stdlib.h>

#include "base/hash.h"

enum {
    KNOWN_MIN = 16
};

static const size_t MEMORY_LIMIT = (size_t)UINT32_MAX * BLOB_ALIGNMENT;

void blob_store_init(struct blob_store *store)
{
    static const char nothing[BLOB_ALIGNMENT] = {0};
    *store = (struct blob_store){.memory = BUF_INIT(MEMORY_LIMIT),
                                 .known = mem_array(KNOWN_MIN, sizeof(uint32_t)),
                                 .mask = KNOWN_MIN - 1};
    buf_append(&store->memory, nothing, sizeof(nothing));
}

void blob_store_release(struct blob_store *store)
{
    buf_release(&store->memory);
    free(store->known);
    *store = (struct blob_store){0};
}

size_t blob_store_bytes(const struct blob_store *store)
{
    return store->memory.n +
           (store->known == NULL ? 0 : (store->mask + 1) * sizeof(*store->known));
}

static void grow_known(struct blob_store *store)
{
    uint32_t *old = store->known;
    size_t n_old = store->mask + 1;
    store->known = mem_array(2 * n_old, sizeof(*old));
    store->mask = 2 * n_old - 1;
    for (size_t i = 0; i < n_old; i++) {
        if (old[i] == 0)
            continue;
        size_t j = blob_at(store, old[i])->hash & store->mask;
        while (store->known[j] != 0)
            j = (j + 1) & store->mask;
        store->known[j] = old[i];
    }
    free(old);
}

static bool is_equal(const struct blob *blob, uint32_t hash, struct str bytes)
{
    return blob->hash == hash && str_eq((struct str){blob->bytes, blob->n}, bytes);
}

static uint32_t append(struct blob_store *store, uint32_t hash, struct str bytes)
{
    struct buf *memory = &store->memory;
    const struct blob header = {(uint32_t)bytes.n, hash};
    size_t padding = -bytes.n % BLOB_ALIGNMENT;
    char *p = buf_room(memory, sizeof(header) + bytes.n + padding + BLOB_SLACK);
    if (p == NULL || bytes.n > UINT32_MAX)
        return 0;
    memcpy(p, &header, sizeof(header));
    memcpy(p + sizeof(header), bytes.p, bytes.n);
    memset(p + sizeof(header) + bytes.n, 0, padding + BLOB_SLACK);
    uint32_t at = (uint32_t)(memory->n / BLOB_ALIGNMENT);
    memory->n += sizeof(header) + bytes.n + padding;
    return at;
}

uint32_t blob_store_add(struct blob_store *store, struct str bytes)
{
    if (2 * store->n_blobs > store->mask)
        grow_known(store);
    uint32_t hash = (uint32_t)hash64(bytes.p, bytes.n);
    size_t i = hash & store->mask;
    for (; store->known[i] != 0; i = (i + 1) & store->mask)
        if (is_equal(blob_at(store, store->known[i]), hash, bytes))
            return store->known[i];
    uint32_t at = append(store, hash, bytes);
    if (at == 0)
        return 0;
    store->known[i] = at;
    store->n_blobs++;
    return at;
}

void blob_store_finish(struct blob_store *store)
{
    free(store->known);
    store->known = NULL;
    buf_trim(&store->memory, BLOB_SLACK);
}
