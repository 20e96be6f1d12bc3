// SPDX-License-Identifier: Apache-2.0
// Whether the letters of a replay may have been taken by another one meanwhile, and how
// long it tries to get a number beside workers that take them one after another.
#ifndef COMMIT_REPLAY_H
#define COMMIT_REPLAY_H

#include "commit/publish.h"

// Of the work that is to be published: a replay has been published since the log was read
// for it. Which letters that took is not asked: it is begun again.
bool replay_is_taken(const struct publish *publish);
// After n numbers in a row that others took: ST_FAIL when it is one too many. A worker
// that catches up with entries made beforehand may be faster each time.
enum status replay_check_numbers(const struct publish *publish, int n, struct err *err);

#endif
