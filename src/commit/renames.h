// SPDX-License-Identifier: Apache-2.0
// Moves the files of published entries from tmp to their final names. May be repeated,
// and done by several workers at once: an exclusive rename that finds its work done is
// done.
#ifndef COMMIT_RENAMES_H
#define COMMIT_RENAMES_H

#include "commit/patience.h"
#include "log/log_state.h"

enum status rename_files(struct patience *patience, const struct entry *entry,
                         struct err *err);
// Those of all entries that are pending in a state.
enum status rename_pending(struct patience *patience, struct log_state *state,
                           struct err *err);

#endif
