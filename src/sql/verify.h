// SPDX-License-Identifier: Apache-2.0
// Has SQLite prepare every query of a plan over empty tables: what it refuses (its
// limits: depth 1000, 64 tables in a join, 2000 columns) is told before anything runs.
#ifndef SQL_VERIFY_H
#define SQL_VERIFY_H

#include "sql/plan.h"
#include "sql/report.h"

// `insert_at`: where the INSERT stands, for the report.
void plan_verify(struct report *report, const struct plan *plan, size_t insert_at);

#endif
