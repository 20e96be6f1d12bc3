// SPDX-License-Identifier: Apache-2.0
// Reads the log of a result directory: its end, and all that is new.
#ifndef LOG_COMMIT_LOG_H
#define LOG_COMMIT_LOG_H

#include "core/storage.h"
#include "log/log_state.h"

// The number of the entry to come, found by doubling and halving over existence.
enum status log_find_end(struct storage *storage, int64_t *ret, struct err *err);
// Brings a state up to the log's end: from nothing by way of the newest snapshot, or from
// where it was.
enum status log_recover(struct storage *storage, struct log_state *state,
                        struct err *err);

#endif
