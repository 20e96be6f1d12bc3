// SPDX-License-Identifier: Apache-2.0
#include "table/group_store.h"

#include <stdlib.h>

#include "base/hash.h"

enum {
    KNOWN_MIN = 16
};

static const size_t MEMORY_LIMIT = (size_t)UINT32_MAX * GROUP_ALIGNMENT;

void group_store_init(struct group_store *store)
{
    static const char nothing[GROUP_ALIGNMENT] = {0};
    *store = (struct group_store){.memory = BUF_INIT(MEMORY_LIMIT),
                                  .known = mem_array(KNOWN_MIN, sizeof(uint32_t)),
                                  .mask = KNOWN_MIN - 1};
    buf_append(&store->memory, nothing, sizeof(nothing));
}

void group_store_release(struct group_store *store)
{
    buf_release(&store->memory);
    free(store->known);
    *store = (struct group_store){0};
}

size_t group_store_bytes(const struct group_store *store)
{
    return store->memory.n +
           (store->known == NULL ? 0 : (store->mask + 1) * sizeof(*store->known));
}

void group_draft_clear(struct group_draft *draft)
{
    draft->n_rows = 0;
    draft->flaw = 0;
    buf_clear(&draft->lengths);
    buf_clear(&draft->bytes);
}

void group_draft_release(struct group_draft *draft)
{
    buf_release(&draft->lengths);
    buf_release(&draft->bytes);
}

void group_draft_flaw(struct group_draft *draft, uint32_t flaw)
{
    if (draft->flaw == 0)
        draft->flaw = flaw;
}

void group_draft_add(struct group_draft *draft, const struct group *group)
{
    draft->n_rows += group->n_rows;
    group_draft_flaw(draft, group->flaw);
    buf_append(&draft->lengths, group->lengths, group->n_lengths * sizeof(uint32_t));
    buf_append(&draft->bytes, group_bytes(group), group->n_bytes);
}

static size_t size_of(const struct group *group)
{
    return sizeof(*group) + group->n_lengths * sizeof(uint32_t) + group->n_bytes;
}

static uint64_t hash_of(const struct group *group)
{
    return hash64(group, size_of(group));
}

static bool is_equal(const struct group *a, const struct group *b)
{
    return memcmp(a, b, sizeof(*a)) == 0 && memcmp(a, b, size_of(a)) == 0;
}

static void grow_known(struct group_store *store)
{
    uint32_t *old = store->known;
    size_t n_old = store->mask + 1;
    store->known = mem_array(2 * n_old, sizeof(*old));
    store->mask = 2 * n_old - 1;
    for (size_t i = 0; i < n_old; i++) {
        if (old[i] == 0)
            continue;
        size_t j = hash_of(group_at(store, old[i])) & store->mask;
        while (store->known[j] != 0)
            j = (j + 1) & store->mask;
        store->known[j] = old[i];
    }
    free(old);
}

// Puts the draft behind the last group. Its memory counts only once it is kept.
static uint32_t append(struct group_store *store, const struct group_draft *draft)
{
    struct buf *memory = &store->memory;
    size_t size = sizeof(struct group) + draft->lengths.n + draft->bytes.n;
    size_t padding = -size % GROUP_ALIGNMENT;
    char *p = buf_room(memory, size + padding + GROUP_SLACK);
    if (p == NULL)
        return 0;
    struct group header = {.n_rows = draft->n_rows,
                           .n_bytes = (uint32_t)draft->bytes.n,
                           .flaw = draft->flaw,
                           .n_lengths = (uint32_t)(draft->lengths.n / sizeof(uint32_t))};
    memcpy(p, &header, sizeof(header));
    p += sizeof(header);
    if (draft->lengths.n)
        memcpy(p, draft->lengths.p, draft->lengths.n);
    if (draft->bytes.n)
        memcpy(p + draft->lengths.n, draft->bytes.p, draft->bytes.n);
    memset(p + draft->lengths.n + draft->bytes.n, 0, padding + GROUP_SLACK);
    uint32_t at = (uint32_t)(memory->n / GROUP_ALIGNMENT);
    memory->n += size + padding;
    return at;
}

uint32_t group_store_add(struct group_store *store, const struct group_draft *draft)
{
    if (draft->lengths.full || draft->bytes.full)
        return 0;
    if (2 * store->n_groups > store->mask)
        grow_known(store);
    size_t n_before = store->memory.n;
    uint32_t at = append(store, draft);
    if (at == 0)
        return 0;
    const struct group *group = group_at(store, at);
    size_t i = hash_of(group) & store->mask;
    for (; store->known[i] != 0; i = (i + 1) & store->mask) {
        if (!is_equal(group_at(store, store->known[i]), group))
            continue;
        store->memory.n = n_before;
        return store->known[i];
    }
    store->known[i] = at;
    store->n_groups++;
    return at;
}

void group_store_finish(struct group_store *store)
{
    free(store->known);
    store->known = NULL;
    struct buf *memory = &store->memory;
    memory->capacity = memory->n + GROUP_SLACK;
    memory->p = mem_resize(memory->p, memory->capacity, 1);
}
