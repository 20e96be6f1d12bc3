// SPDX-License-Identifier: Apache-2.0
// The sqlite executor: runs plan->insert_sql over the batch as a virtual table.
//
// Each value of the result is checked against plan->output. When one cannot be written
// the records are run one by one: those that give such a row are rejected and give no row
// at all, the others go on. Big results are cut by halving the range of records.
// n_matched: best effort, since a result row does not tell its record: exact when records
// are run one by one, else the smaller of records and rows.
// Threads: one executor and one host a thread.
#ifndef TABLE_SQLITE_EXECUTOR_H
#define TABLE_SQLITE_EXECUTOR_H

#include "sql/plan.h"
#include "table/executor.h"

struct sqlite_host;

// The host has the plan's tables loaded. All is borrowed until close.
enum status sqlite_executor_open(const struct plan *plan, struct sqlite_host *host,
                                 struct encoder *encoder, struct executor **ret,
                                 struct err *err);

#endif
