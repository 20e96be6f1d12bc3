// SPDX-License-Identifier: Apache-2.0
// What the log allows to remove: folders in tmp of writers whose partitions were all
// claimed by others since, and whole buckets of old entries.
#ifndef COMMIT_CLEAN_H
#define COMMIT_CLEAN_H

#include "commit/patience.h"
#include "log/log_state.h"

// Removes folders; those of `self` and of owners stay. Finishes pending renames first: a
// folder may hold their files.
enum status clean_folders(struct patience *patience, struct log_state *state,
                          const char *self, struct err *err);

// Removes entries older than before_ms, by whole buckets that are covered by a snapshot:
// of the oldest bucket first, its newest entry last, so that a bucket counts as there
// until all of it is gone. Directories stay: the search for the log's end needs them.
enum status clean_entries(struct storage *storage, const struct log_state *state,
                          int64_t before_ms, struct err *err);

#endif
