// SPDX-License-Identifier: Apache-2.0
// A storage that fails as real ones do, around any other storage.
//
// Each call may be refused, lose its answer with or without its effect, or take effect
// after it was given up. A late call is kept with its paths and bytes until it is
// settled: by hand, or before a later call through this storage. So it can take effect
// between any two calls of other workers on the same contents. Calls that change nothing
// (list, stat, checksum, read) have no effect to lose: any fault makes them ST_RETRY.
//
// One thread at a time. A worker that dies leaves its calls on their way: keep this
// storage open beyond it, and settle them then.
#ifndef MEMORY_STORAGE_FAULT_H
#define MEMORY_STORAGE_FAULT_H

#include "core/storage.h"

enum fault_op {
    FAULT_WRITE,
    FAULT_PUBLISH,
    FAULT_CREATE, // of a storage that cannot rename; else it is a write and a publish
    FAULT_REPLACE,
    FAULT_LIST,
    FAULT_STAT,
    FAULT_CHECKSUM,
    FAULT_MKDIR,
    FAULT_READ,
    FAULT_REMOVE,
    FAULT_N_OPS
};

enum fault_kind {
    FAULT_NONE,
    FAULT_REFUSE, // ST_RETRY; nothing happens
    FAULT_FAIL,   // ST_FAIL; nothing happens
    FAULT_LOSE,   // ST_UNKNOWN; it happens
    FAULT_DROP,   // ST_UNKNOWN; it never happens
    FAULT_LATE,   // ST_UNKNOWN; it happens when it is settled
    FAULT_CHANGE, // ST_OK; of a write one byte came to lie otherwise than it was sent
};

struct fault {
    enum fault_kind kind;
    // LATE: settled just before so many calls later (1: the next call); 0: by hand only.
    uint64_t settle_after;
    // LOSE and LATE of a write: only the first cut_bytes come to lie under the name, as a
    // closed file like any other.
    bool cut;
    int64_t cut_bytes;
};

struct fault_call {
    enum fault_op op;
    uint64_t number; // 1 for the first call through this storage
    struct str path; // or from; borrowed for the call
    struct str to;   // publish, replace
};

struct fault_config {
    // Decides for each call; NULL: `fault` for call number `at`, nothing for the others.
    struct fault (*decide)(void *context, const struct fault_call *call);
    void *context; // borrowed for the storage's life
    uint64_t at;   // 0: no call
    struct fault fault;
};

// Takes `inner` over: closing the one closes the other. URL and promises are the inner's.
struct storage *storage_fault_open(struct storage *inner,
                                   const struct fault_config *config);
// From now on other faults; for the count of calls nothing changes.
void storage_fault_set(struct storage *storage, const struct fault_config *config);

uint64_t storage_fault_n_calls(const struct storage *storage);
// Calls given up that have not taken effect.
size_t storage_fault_n_late(const struct storage *storage);
// Lets the late call `index` (0: the oldest) take effect; its status is told, for traces
// only: who made the call has long been told ST_UNKNOWN.
enum status storage_fault_settle_one(struct storage *storage, size_t index);
void storage_fault_settle(struct storage *storage); // all, oldest first

const char *fault_op_name(enum fault_op op);       // "write", ...
const char *fault_kind_name(enum fault_kind kind); // "refuse", ...

#endif
