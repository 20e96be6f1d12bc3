// SPDX-License-Identifier: Apache-2.0
// Numbers of a running job, for people. Worker and committer add to them, any thread may
// read them at any time; each number is right by itself, not all at one instant. Each
// slot has one of its own.
#ifndef COMMIT_ENGINE_STATUS_H
#define COMMIT_ENGINE_STATUS_H

#include <stdatomic.h>
#include <stdint.h>

#include "status/board.h"

struct engine_status {
    // Since the start, as read (not all of it committed yet).
    _Atomic int64_t n_read;     // records
    _Atomic int64_t n_matched;  // records that gave a row
    _Atomic int64_t n_ignored;  // records without a row on purpose
    _Atomic int64_t n_rejected; // records for the dead letters
    _Atomic int64_t n_rows;     // encoded
    _Atomic int64_t n_batches;
    // Since the start, in the log.
    _Atomic int64_t n_commits;
    _Atomic int64_t committed_records;
    _Atomic int64_t committed_rows;
    _Atomic int64_t committed_bytes; // of data files
    _Atomic int64_t n_conflicts;     // work dropped since another worker owns it
    // Now.
    _Atomic int64_t n_partitions;   // assigned
    _Atomic int64_t last_commit_ms; // wall time, 0: none yet
    _Atomic int64_t last_entry;     // newest log entry seen, -1: none
    _Atomic int64_t n_waiting;      // slots held back: stream, storage or registry away
    // What a status server shows, and the lag.
    struct board board;
};

#endif
