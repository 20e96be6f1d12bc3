// SPDX-License-Identifier: Apache-2.0
// Whether the letters of a replay may have been taken by another one meanwhile.
#ifndef COMMIT_REPLAY_H
#define COMMIT_REPLAY_H

#include "commit/publish.h"

// Of the work that is to be published: a replay has been published since the log was read
// for it. Which letters that took is not asked: it is begun again.
bool replay_is_taken(const struct publish *publish);

#endif
