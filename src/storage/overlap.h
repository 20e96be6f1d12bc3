// SPDX-License-Identifier: Apache-2.0
// Whether two places share files. Symbolic links of local paths are followed once, as far
// as they are there, so that many places can be compared with each other; name nodes are
// compared by their names, and one that two URLs have in common makes them one storage.
// Any thread.
#ifndef STORAGE_OVERLAP_H
#define STORAGE_OVERLAP_H

#include "storage/storage_url.h"

enum storage_overlap {
    STORAGE_APART,
    STORAGE_SAME,
    STORAGE_HOLDS,  // the second is inside the first
    STORAGE_INSIDE, // the first is inside the second
};

// Puts the path that links lead to in the place of a local one.
void storage_overlap_prepare(struct storage_url *url, struct arena *arena);

// Both prepared.
enum storage_overlap storage_overlap(const struct storage_url *a,
                                     const struct storage_url *b);

#endif
