// SPDX-License-Identifier: Apache-2.0
// Looks at single entries of the log of a result directory. One storage call each.
#ifndef LOG_LOG_READ_H
#define LOG_LOG_READ_H

#include "core/storage.h"
#include "log/log_state.h"

// ST_NOT_FOUND: there is no such entry (yet, or no more).
enum status log_read(struct storage *storage, int64_t number, struct arena *arena,
                     struct entry *ret, struct err *err);
enum status log_exists(struct storage *storage, struct str path, bool *ret,
                       struct err *err);

// Whether the newest entry of a state is still there, and still that one.
// Where not, the entry that would come next may have been and gone.
enum status log_is_same(struct storage *storage, const struct log_state *state, bool *ret,
                        struct err *err);

#endif
