// SPDX-License-Identifier: Apache-2.0
// Counts what the branches of a native executor looked up. Cost: some words a block of
// records, and for records without a match a few keys a block once there were many.
#ifndef TABLE_NATIVE_COUNTS_H
#define TABLE_NATIVE_COUNTS_H

#include "core/join_counts.h"
#include "sql/plan.h"
#include "table/branch.h"
#include "table/dimensions.h"

struct native_counts {
    struct arena arena; // of names
    struct join_counts *joins;
    size_t n_joins;
    size_t *places; // of each dimension, in the order of struct dimensions: its join
    struct buf key; // for one
};

void native_counts_init(struct native_counts *counts, const struct plan *plan,
                        const struct dimensions *dimensions);
void native_counts_release(struct native_counts *counts);
// The records of a block that are done, a bit for each; `matched`: those that gave rows.
// Returns those without one for which a joined table has no row.
uint64_t native_counts_block(struct native_counts *counts, struct branch *branches,
                             size_t n_branches, uint64_t done, uint64_t matched);

#endif
