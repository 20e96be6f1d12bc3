// SPDX-License-Identifier: Apache-2.0
// The native executor: hash joins by copying bytes.
//
// For each record the stream's columns are encoded once; every match adds the dimension's
// bytes. Records are looked up in blocks, so that the memory of many lookups is on its
// way at the same time (what each trick brings: branch.c). n_matched: exact.
// Threads: one executor a thread; they share the dimension stores.
#ifndef TABLE_NATIVE_EXECUTOR_H
#define TABLE_NATIVE_EXECUTOR_H

#include "sql/plan.h"
#include "table/dimensions.h"
#include "table/executor.h"

// plan->native is not NULL; `dimensions` are its. All is borrowed until close; the stores
// must have been built with a row format of the same kind.
struct executor *native_executor_open(const struct plan *plan,
                                      const struct dimensions *dimensions,
                                      struct row_format *row_format);
// Before the first run of a plan that asks SQLite (native_asks): the host has the tables
// and views that it reads. Makes the indexes; borrowed until close.
enum status native_executor_use_sqlite(struct executor *executor,
                                       struct sqlite_host *host, struct err *err);
// Asked while a query runs that looks rows up one by one; false ends it (executor.h).
void native_executor_on_progress(struct executor *executor, bool (*go_on)(void *arg),
                                 void *arg);

#endif
