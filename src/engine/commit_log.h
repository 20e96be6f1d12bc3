// SPDX-License-Identifier: Apache-2.0
// Reads the log of a result directory: its end, and all that is new.
//
// The end is found by doubling and halving over existence, the state by walking back to
// the newest snapshot. Each step makes about one storage call; after a status other than
// ST_OK the same step may be made again.
#ifndef ENGINE_COMMIT_LOG_H
#define ENGINE_COMMIT_LOG_H

#include "core/storage.h"
#include "engine/bisect.h"
#include "engine/log_state.h"

enum log_end_phase {
    END_BUCKETS,
    END_ENTRIES,
    END_FOUND
};

// Finds the number of the entry to come.
struct log_end {
    enum log_end_phase phase;
    struct bisect bisect;
    int64_t bucket;
    int64_t number; // when found
};

void log_end_start(struct log_end *end);
enum status log_end_step(struct log_end *end, struct storage *storage, struct err *err);

enum recovery_phase {
    RECOVERY_END,
    RECOVERY_BACK,
    RECOVERY_FORWARD
};

// Brings a state up to the log's end: from nothing, or from where it was.
struct recovery {
    struct storage *storage;
    struct log_state *state;
    enum recovery_phase phase;
    struct log_end end;
    struct arena arena;    // of the entries walked over
    struct entry *entries; // newest first
    size_t n_entries, entries_capacity;
    bool has_read; // an entry, so the state is of this log
};

void recovery_start(struct recovery *recovery, struct storage *storage,
                    struct log_state *state);
enum status recovery_step(struct recovery *recovery, bool *ret_done, struct err *err);
void recovery_release(struct recovery *recovery);

#endif
