// SPDX-License-Identifier: Apache-2.0
// Blob store: byte strings one after another in one memory, equal ones once.
//
// A blob is named by its place in units of BLOB_ALIGNMENT, never 0. Cost of adding: one
// hash of its bytes. BLOB_SLACK bytes behind the last blob may be read, so that copies
// can go in wide steps. Blobs are only added. Threads: one while blobs are added, then
// any number may read.
#ifndef TABLE_BLOB_STORE_H
#define TABLE_BLOB_STORE_H

#include "base/buf.h"

enum {
    BLOB_ALIGNMENT = 8,
    BLOB_SLACK = 64
};

struct blob {
    uint32_t n; // bytes
    uint32_t hash;
    char bytes[]; // aligned to 8
};

struct blob_store {
    struct buf memory; // BLOB_ALIGNMENT bytes of nothing, then the blobs
    size_t n_blobs;
    uint32_t *known; // open addressing by hash; 0: empty
    size_t mask;
};

void blob_store_init(struct blob_store *store);
void blob_store_release(struct blob_store *store);
// The place of a blob with these bytes, added unless there is an equal one. 0 when all of
// them take more than 32 GiB, or one of them 4 GiB.
uint32_t blob_store_add(struct blob_store *store, struct str bytes);
// No more will be added: frees what only adding needs.
void blob_store_finish(struct blob_store *store);
size_t blob_store_bytes(const struct blob_store *store); // of memory

static inline const struct blob *blob_at(const struct blob_store *store, uint32_t at)
{
    return (const struct blob *)(const void *)(store->memory.p +
                                               (size_t)at * BLOB_ALIGNMENT);
}

#endif
