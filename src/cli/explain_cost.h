// SPDX-License-Identifier: Apache-2.0
// What a query over the stream costs a record, on one core: an estimate from the tables
// as they are, with what was measured (docs/performance.md). Conditions are taken to drop
// nothing, keys to be equally frequent and all to be found.
#ifndef CLI_EXPLAIN_COST_H
#define CLI_EXPLAIN_COST_H

#include "table/dimension.h"

struct cost {
    double ns;   // a record, of the part alone
    double rows; // of a record, behind it
};

struct branch_cost {
    struct cost steps[STEPS_MAX], joins[JOINS_MAX];
    struct cost all; // but for what is done once for all branches
};

// `dimensions` are those of the branch.
void cost_of_branch(const struct native_branch *branch,
                    struct dimension *const *dimensions, struct branch_cost *ret);
// `dimensions` are those of all branches.
struct cost cost_of_query(const struct native_plan *native,
                          struct dimension *const *dimensions);
// "150 ns", "1.6 us", "2.0 ms".
void cost_describe(double ns, struct buf *buf);

#endif
