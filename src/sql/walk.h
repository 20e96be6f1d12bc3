// SPDX-License-Identifier: Apache-2.0
// Walks over the tree. Each visits what stands directly below, not what is below that.
#ifndef SQL_WALK_H
#define SQL_WALK_H

#include "sql/ast.h"

// Every expression that stands directly in `expr`; not in its subquery.
void expr_each(struct expr *expr, void (*visit)(struct expr *child, void *arg),
               void *arg);
// The expressions of a SELECT with those of its ON; of a set operation none.
void query_each_expr(struct query *query, void (*visit)(struct expr *expr, void *arg),
                     void *arg);
// The tables, views and subqueries of a FROM, from left to right; it may be NULL.
void from_each_leaf(struct from *from, void (*visit)(struct from *leaf, void *arg),
                    void *arg);

#endif
