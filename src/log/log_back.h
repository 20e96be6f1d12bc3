// SPDX-License-Identifier: Apache-2.0
// The entries of a log from the newest back, for whoever tells of them. Each is checked
// for itself (log_read), not against the others: verify does that.
//
// Threads: one. Errors: a storage that does not answer, an entry that is refused.
#ifndef LOG_LOG_BACK_H
#define LOG_LOG_BACK_H

#include "core/storage.h"
#include "log/log_entry.h"

// Calls `each` until it is not ST_OK (ST_STOP: enough, which is then ST_OK). The entry is
// borrowed for the call. *ret_first: the oldest entry that was seen, so that a caller
// can tell a log whose beginning is not there any more. ST_FAIL when there is no log.
enum status log_back(struct storage *storage,
                     enum status (*each)(void *context, const struct entry *entry,
                                         struct err *err),
                     void *context, int64_t *ret_first, struct err *err);
// The words for a result directory without a log.
enum status log_none(const struct storage *storage, struct err *err);

#endif
