// SPDX-License-Identifier: Apache-2.0
// Gives up an entry that may or may not have been published. The order is the rule:
// remove the entry's source and get that answer (from then on it cannot appear any more);
// read its number; only if it is not ours remove our folder with all its data.
//
// Steps as in commit_log.h. Who cannot finish it leaves everything: a later claim of the
// partitions cleans up.
#ifndef ENGINE_ABANDON_H
#define ENGINE_ABANDON_H

#include "engine/publish.h"

enum abandon_phase {
    ABANDON_SOURCE,
    ABANDON_READ,
    ABANDON_FOLDER,
    ABANDON_END
};

struct abandon {
    enum abandon_phase phase;
    bool is_published; // at the end: it was ours after all
};

void abandon_start(struct abandon *abandon);
// Applies the entry to the state when it is ours after all.
enum status abandon_step(struct abandon *abandon, struct publish *publish,
                         struct err *err);

#endif
