// SPDX-License-Identifier: Apache-2.0
// Group store: the encoded rows of one key, made for copying them one after another.
//
// A group is what the rows' first pieces have in common at their beginning (the prefix)
// and the list of what is left of each row (the tails). Equal groups and equal lists of
// tails are stored once: a trip's rows differ in their dates only, and all trips of a
// service have the same dates. That makes a store of 3.5 million rows fit a processor's
// cache (docs/performance.md). A group is named by a number, never 0.
// Threads: one while groups are added, then any number may read.
#ifndef TABLE_GROUP_STORE_H
#define TABLE_GROUP_STORE_H

#include "table/blob_store.h"

#define FLAW_NO_ROWS UINT32_MAX // the key is known, and gives no row

struct tails {
    uint32_t n_rows;
    uint32_t flaw; // 0, or why these rows cannot be written (dimension.h), FLAW_NO_ROWS
    uint32_t n_lengths; // rows * pieces
    uint32_t n_bytes;   // of all tails
    uint32_t lengths[]; // of each row's pieces; then their bytes in the same order
};

struct group {
    uint32_t n_prefix; // bytes
    uint32_t tails;    // their place in the store
    char prefix[];
};

struct group_store {
    struct blob_store groups, tails;
    struct buf new_group, new_tails; // while adding
};

void group_store_init(struct group_store *store);
void group_store_release(struct group_store *store);
void group_store_finish(struct group_store *store);        // no more will be added
size_t group_store_bytes(const struct group_store *store); // of memory

// A group in the making: the lengths and bytes of all pieces of all rows. Zero is a valid
// empty draft.
struct group_draft {
    uint32_t n_rows;
    uint32_t flaw; // the first one stays
    struct buf lengths, bytes;
};
void group_draft_clear(struct group_draft *draft);
void group_draft_release(struct group_draft *draft);
void group_draft_flaw(struct group_draft *draft, uint32_t flaw);

// Adds the draft, which is spent. 0 when it takes more than 1 GiB, or all of them 32 GiB.
uint32_t group_store_add(struct group_store *store, struct group_draft *draft);
// The same in two parts, for rows that begin with bytes of their own (the lead): the
// tails of a draft of the rows without it, at least one, and what those have in common at
// their beginning, then for each lead the group.
uint32_t group_store_add_tails(struct group_store *store, struct group_draft *draft,
                               size_t *ret_n_common);
uint32_t group_store_add_woven(struct group_store *store, struct str lead,
                               struct str common, uint32_t tails);
// Adds the rows of a group to a draft.
void group_store_get(const struct group_store *store, uint32_t group,
                     struct group_draft *draft);

static inline const struct group *group_at(const struct group_store *store, uint32_t at)
{
    return (const struct group *)(const void *)blob_at(&store->groups, at)->bytes;
}

static inline const struct tails *tails_of(const struct group_store *store,
                                           const struct group *group)
{
    const struct blob *blob = blob_at(&store->tails, group->tails);
    return (const struct tails *)(const void *)blob->bytes;
}

static inline const char *tails_bytes(const struct tails *tails)
{
    return (const char *)(tails->lengths + tails->n_lengths);
}

#endif
