// SPDX-License-Identifier: Apache-2.0
// Whether two places share files. Looks at symbolic links of local paths, as far as they
// are there; name nodes are compared by their names, and one that two URLs have in common
// makes them one storage. Any thread.
#ifndef STORAGE_OVERLAP_H
#define STORAGE_OVERLAP_H

#include "storage/storage_url.h"

enum storage_overlap {
    STORAGE_APART,
    STORAGE_SAME,
    STORAGE_HOLDS,  // the second is inside the first
    STORAGE_INSIDE, // the first is inside the second
};

enum storage_overlap storage_overlap(const struct storage_url *a,
                                     const struct storage_url *b);

#endif
