// SPDX-License-Identifier: Apache-2.0
// The sqlite executor: runs the plan's query over the batch as a virtual table.
//
// Each value of the result is checked against plan->output. When one cannot be written,
// or the row buffer is too small, the range of records is halved, so that a bad record is
// found, rejected with the reason, and gives no row at all; the others go on.
// n_matched is exact: the query tells the record of every row (plan->traced_sql).
// Threads: one executor and one host a thread. Errors: those of sqlite_host.h.
#ifndef TABLE_SQLITE_EXECUTOR_H
#define TABLE_SQLITE_EXECUTOR_H

#include "sql/sqlite_host.h"
#include "table/executor.h"

// How a view must be made for this executor: as a table when the stream's query reads it
// (with each batch), else as a view.
enum sqlite_view sqlite_executor_view(const struct plan *plan, const struct view *view);

// The host has the plan's tables, and its views as above; the stream and the indexes are
// made here, so one executor a host. All is borrowed until close.
enum status sqlite_executor_open(const struct plan *plan, struct sqlite_host *host,
                                 struct row_format *row_format, struct executor **ret,
                                 struct err *err);

// From now on counts what records find in the tables: `joins`, and n_unmatched, which is
// 0 without. It costs about the query once more (sqlite_counts.h). Where it cannot be
// done nothing is counted: that is beside the matter.
void sqlite_executor_count(struct executor *executor);

#endif
