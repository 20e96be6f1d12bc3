// SPDX-License-Identifier: Apache-2.0
// What the log allows to remove: folders in tmp of writers whose partitions were all
// claimed by others since, and whole buckets of old entries. Steps as in commit_log.h.
#ifndef ENGINE_CLEAN_H
#define ENGINE_CLEAN_H

#include "core/storage.h"
#include "engine/bisect.h"
#include "engine/log_state.h"
#include "engine/renames.h"

// Removes folders; those of `self` and of owners stay. Finishes pending renames first: a
// folder may hold their files.
struct clean {
    struct settle settle;
    size_t n_kept; // writers looked at whose folder stays
};

void clean_start(struct clean *clean);
enum status clean_step(struct clean *clean, struct storage *storage,
                       struct log_state *state, const char *self, bool *ret_done,
                       struct err *err);
void clean_release(struct clean *clean);

enum retain_phase {
    RETAIN_OLDEST,
    RETAIN_AGE,
    RETAIN_REMOVE,
    RETAIN_END
};

// Removes the entries of the oldest buckets, the newest entry of a bucket last, so that a
// bucket counts as there until all of it is gone. Directories stay: the search for the
// log's end needs them.
struct retain {
    enum retain_phase phase;
    struct bisect oldest; // over buckets: "its last entry is gone"
    int64_t bucket;
    int64_t n_removed; // in the bucket
    int64_t n_buckets; // that may be removed: all are covered by a snapshot
    int64_t before_ms; // entries older than this
};

void retain_start(struct retain *retain, const struct log_state *state,
                  int64_t before_ms);
enum status retain_step(struct retain *retain, struct storage *storage, struct err *err);

#endif
