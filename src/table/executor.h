// SPDX-License-Identifier: Apache-2.0
// Runs the INSERT's query over one micro-batch and encodes the result.
//
// Two kinds run the same plan and must give the same rows: native (hash join, copies
// encoded bytes) and sqlite (everything that SQL can say). A test holds them together.
// One thread owns an executor; the dimension store behind native ones is shared.
#ifndef TABLE_EXECUTOR_H
#define TABLE_EXECUTOR_H

#include "core/batch.h"
#include "core/join_counts.h"

struct executor;

struct executor_result {
    size_t n_rows;      // encoded into `rows`
    size_t n_matched;   // records that gave at least one row
    size_t n_unmatched; // of those without one: a table has no row for it, where counted
};

struct executor_ops {
    // Enriches rows [from, *ret_next) of the batch: all, or as many as fit the row
    // buffer's limit or were done in about a second, at least one. `rows` is empty on
    // entry. ST_LIMIT when the rows of one record do not fit alone; the text names its
    // key and how many they are. A record whose result cannot be written (a value of
    // another type, NULL in a NOT NULL column) is added to the batch's rejects and gives
    // no row at all. When the program is asked to stop it may do fewer, also none. On any
    // error `rows` is to be thrown away.
    enum status (*run)(struct executor *executor, struct batch *batch, size_t from,
                       struct buf *rows, size_t *ret_next, struct executor_result *ret,
                       struct err *err);
    void (*close)(struct executor *executor);
};

struct executor {
    const struct executor_ops *ops;
    const char *name; // "native" or "sqlite"
    // Of the tables that the query joins with, each once; the executor's.
    const struct join_counts *joins;
    size_t n_joins;
};

#endif
