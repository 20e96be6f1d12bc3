// SPDX-License-Identifier: Apache-2.0
// Files of a spool whose bytes nobody wants any more, kept to be written over.
//
// A new file's pages are found, cleared, given room on the disk and let go again: 0.87 s
// of CPU a GB on ext4 where writing over pages that are there takes 0.20. The plain way
// is a new file each time, which is what happens when none is here. Bounded: few files,
// none of them large, so that what a disk lends is what was lent at the same time before.
//
// Threads: any. Owners: the spool and each of its files, which may outlive it.
#ifndef STORAGE_SPOOL_POOL_H
#define STORAGE_SPOOL_POOL_H

#include <stdint.h>

struct spool_pool;

struct spool_pool *spool_pool_open(void); // with one owner
struct spool_pool *spool_pool_ref(struct spool_pool *pool);
void spool_pool_unref(struct spool_pool *pool);

// A descriptor at its file's begin, which has bytes of before; -1: there is none.
int spool_pool_take(struct spool_pool *pool);
// Takes the descriptor over, of a file without a name that nobody else has open;
// size_bytes as far as it was written.
void spool_pool_give(struct spool_pool *pool, int fd, int64_t size_bytes);

#endif
