// SPDX-License-Identifier: Apache-2.0
// Whether the INSERT is one hash join of plain columns, and which. Inside src/sql.
#ifndef SQL_NATIVE_H
#define SQL_NATIVE_H

#include "sql/ast.h"
#include "sql/plan.h"

// Sets plan->native, or plan->native_why to the reason why there is none.
void native_plan_make(struct plan *plan, const struct query *query);
// Sets plan->join_column and plan->lookups.
void native_lookups_make(struct plan *plan, struct query *query);

#endif
