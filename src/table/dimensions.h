// SPDX-License-Identifier: Apache-2.0
// The dimension stores of a plan: one for each step and each join of each branch, in that
// order; equal ones are one store.
// Threads: built by one, then read-only.
#ifndef TABLE_DIMENSIONS_H
#define TABLE_DIMENSIONS_H

#include "table/dimension.h"

struct dimensions {
    struct dimension **items;
    size_t n;
};

// Whether item i stands before already.
bool dimensions_is_shared(const struct dimensions *dimensions, size_t i);

// Reads the tables of the store, where they are loaded. `options->limit_bytes` is for
// all together. Errors as dimension_build's.
enum status dimensions_build(const struct native_plan *native, struct table_store *store,
                             struct row_format *row_format,
                             const struct dimension_options *options,
                             struct dimensions *ret, struct err *err);
void dimensions_release(struct dimensions *dimensions);

#endif
