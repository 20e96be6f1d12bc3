// SPDX-License-Identifier: Apache-2.0
// Counts what the records of a stream found in the tables that SQLite joins them with, by
// probes (sql/probe.h) beside its query: SQLite tells the rows of a query alone. Cost:
// about the query once more, without its rows. One thread.
#ifndef TABLE_SQLITE_COUNTS_H
#define TABLE_SQLITE_COUNTS_H

#include "core/join_counts.h"
#include "sql/probe.h"
#include "sql/sqlite_host.h"

struct sqlite_counts {
    const struct plan *plan;
    struct rows **queries;     // of each probe
    struct batch *results;     // of each
    struct join_counts *joins; // each table once
    size_t n_joins;
    size_t *places; // of all tables of all probes: its join
    uint8_t *marks; // for each of those and each record of the range
    int64_t *rows;  // the same: rows that WHERE leaves
    size_t capacity;
    struct buf key;
};

enum status sqlite_counts_open(const struct plan *plan, struct sqlite_host *host,
                               struct sqlite_counts *ret, struct err *err);
void sqlite_counts_close(struct sqlite_counts *counts);
// Of the n records that the host has now, from `first` of the batch on; has_rows: for
// each whether it gave a row. Sets how many without one a table has no row for. A record
// whose look-ups fail is not counted.
void sqlite_counts_take(struct sqlite_counts *counts, size_t first, size_t n,
                        const bool *has_rows, size_t *ret_unmatched);

#endif
