// SPDX-License-Identifier: Apache-2.0
// Until when a query over records may go on: batch.record_timeout for one of them, and
// the program's stop. Asked once a block of rows. Inside src/table.
#ifndef TABLE_QUERY_LIMIT_H
#define TABLE_QUERY_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    // Of the time of one record, for several: among them is one that takes too long,
    // mostly, and it is looked for fast.
    LATE_PART = 4,
    SLICE_MS = 1000, // of a run of an executor, which then gives back what it has
    SQLITE_QUERY_MEMORY = 256 << 20 // bytes that SQLite may take for it, beside tables
};

enum query_end {
    QUERY_GOES_ON,
    QUERY_LATE,    // the time is over
    QUERY_STOPPED, // the program is to stop
};

struct query_limit {
    int64_t timeout_ms;       // of one record
    bool (*go_on)(void *arg); // NULL: the program is never asked to stop
    void *go_on_arg;
    int64_t until_ms;
    enum query_end end; // since query_limit_begin
};

// The end of a query that begins now, by env_system's monotonic clock.
int64_t query_limit_until(int64_t timeout_ms, size_t n_records);
// Begins the query over n_records.
void query_limit_begin(struct query_limit *limit, size_t n_records);
// Whether it may go on; once it may not, it never may until the next begin.
bool query_limit_ask(struct query_limit *limit);

#endif
