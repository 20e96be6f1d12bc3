// SPDX-License-Identifier: Apache-2.0
// Dimension store: for each key the rows it gives, already encoded in the sink's format.
//
// dimension_build reads a join's rows once and keeps, for each row, the bytes of the
// output columns that come from it: one piece for every maximal run of such columns,
// the last one with the end of the row. The rows of one key lie side by side in the
// query's order (a group), so that emitting them is one pass over memory; equal groups
// are stored once (with GTFS many trips have the same rows, see docs/performance.md).
// Keys are bytes: TEXT compares as bytes, INT and BIGINT as numbers, a row with a NULL
// key is dropped. Two steps for the caller: dimension_find, then copy dimension_group's
// bytes. Threads: built by one, then read-only: any number of threads may read it.
// Errors: those of `rows`; ST_LIMIT when it would pass limit_bytes.
#ifndef TABLE_DIMENSION_H
#define TABLE_DIMENSION_H

#include "core/row_format.h"
#include "core/rows.h"
#include "sql/plan.h"
#include "table/group_store.h"
#include "table/key_index.h"
#include "table/table_store.h"

// Called while building, every 64 Ki rows and at the end.
struct dimension_progress {
    void (*rows)(struct dimension_progress *progress, size_t n_rows);
};

struct dimension_options {
    size_t limit_bytes;                  // of memory, at any time; 0: none
    const struct table_store *store;     // NULL, or whose memory counts with it
    struct str version;                  // of the tables; copied
    struct dimension_progress *progress; // NULL: tells nobody
    bool counts; // somebody asks how many records match: keys whose rows WHERE drops are
                 // kept
};

struct dimension_stats {
    size_t n_rows;       // with a key
    size_t n_null_keys;  // rows dropped: a NULL key matches nothing
    size_t n_keys;       // different keys that have rows
    size_t n_groups;     // different groups of rows, as stored
    size_t n_tails;      // different lists of tails, see group_store.h
    size_t max_matches;  // rows of the key that has most
    size_t row_bytes;    // encoded, all rows of all keys
    size_t group_bytes;  // of them stored, with lengths, after equal groups were shared
    size_t memory_bytes; // all that the store takes now
    size_t peak_bytes;   // most while it was built
};

// Read-only once built.
struct dimension {
    struct key_index keys; // a key's value is its group's place
    struct group_store groups;
    struct blob_store flaws; // texts: why a group cannot be written; a flaw is its place
    uint32_t unmatched;      // LEFT JOIN: the group of one row of NULLs; else 0
    bool has_empty;          // a key, or `unmatched`, has no rows: WHERE leaves none
    struct dimension_stats stats;
    char *max_key; // the key with stats.max_matches rows, for a person
    char *version;
};

// `row_format` is used during the call only; its schema is the plan's output. `rows` has
// the columns of the join's read_schema.
enum status dimension_build(const struct native_branch *branch, size_t join,
                            struct rows *rows, struct row_format *row_format,
                            const struct dimension_options *options,
                            struct dimension **ret, struct err *err);
void dimension_free(struct dimension *dimension);

// Rows that a record with a known key gives, were all keys equally frequent.
double dimension_fan_out(const struct dimension *dimension);

#endif
