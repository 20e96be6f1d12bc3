// SPDX-License-Identifier: Apache-2.0
// Group store: encoded rows of one key side by side, equal groups once.
//
// A group is a header, the length of every piece of every row, then the pieces' bytes in
// the same order. Groups stand one after another in one memory; a group is named by its
// place in it in units of GROUP_ALIGNMENT, never 0. Cost: one hash of its bytes when it
// is added. GROUP_SLACK bytes behind the last group may be read (see native_executor.c).
// Threads: one while groups are added, then any number may read.
#ifndef TABLE_GROUP_STORE_H
#define TABLE_GROUP_STORE_H

#include "base/buf.h"

enum {
    GROUP_ALIGNMENT = 8,
    GROUP_SLACK = 64
};

struct group {
    uint32_t n_rows;
    uint32_t n_bytes;   // of all pieces of all rows
    uint32_t flaw;      // 0, or why these rows cannot be written: flaw_make()
    uint32_t n_lengths; // rows * pieces
    uint32_t lengths[];
};

static inline const char *group_bytes(const struct group *group)
{
    return (const char *)(group->lengths + group->n_lengths);
}

struct group_store {
    struct buf memory; // GROUP_ALIGNMENT bytes of nothing, then the groups
    size_t n_groups;
    uint32_t *known; // open addressing by the groups' bytes; 0: empty
    size_t mask;
};

void group_store_init(struct group_store *store);
void group_store_release(struct group_store *store);

// Parts of a group in the making. Zero is a valid empty draft.
struct group_draft {
    uint32_t n_rows;
    uint32_t flaw; // the first one stays
    struct buf lengths, bytes;
};
void group_draft_clear(struct group_draft *draft);
void group_draft_release(struct group_draft *draft);
void group_draft_flaw(struct group_draft *draft, uint32_t flaw);
void group_draft_add(struct group_draft *draft, const struct group *group); // its rows

// The place of a group with these rows, added unless there is an equal one. 0 when the
// group takes more than 1 GiB or all groups more than 32 GiB.
uint32_t group_store_add(struct group_store *store, const struct group_draft *draft);
// No more groups will be added: frees what only adding needs.
void group_store_finish(struct group_store *store);
size_t group_store_bytes(const struct group_store *store); // of memory

static inline const struct group *group_at(const struct group_store *store, uint32_t at)
{
    return (const struct group *)(const void *)(store->memory.p +
                                                (size_t)at * GROUP_ALIGNMENT);
}

#endif
