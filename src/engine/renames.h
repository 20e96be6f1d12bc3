// SPDX-License-Identifier: Apache-2.0
// Moves the files of published entries from tmp to their final names. May be repeated,
// and done by several workers at once: an exclusive rename that finds its work done is
// done. Steps as in commit_log.h.
#ifndef ENGINE_RENAMES_H
#define ENGINE_RENAMES_H

#include "core/storage.h"
#include "engine/log_state.h"
#include "engine/paths.h"

struct renames {
    size_t n_done;           // files of the entry
    struct path made_parent; // the last directory made
};

enum status renames_step(struct renames *renames, struct storage *storage,
                         const struct entry *entry, bool *ret_done, struct err *err);

// The renames of all entries that are pending in a state.
struct settle {
    struct arena arena;
    struct entry entry; // of the number below
    int64_t number;     // 0: none is being done
    struct renames renames;
};

enum status settle_step(struct settle *settle, struct storage *storage,
                        struct log_state *state, bool *ret_done, struct err *err);
void settle_release(struct settle *settle);

#endif
