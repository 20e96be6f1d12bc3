// SPDX-License-Identifier: Apache-2.0
// Does the uploader's errands, one after the other: brings a file of a unit, or an entry
// that was made beforehand, into tmp, or removes one. Several do so at once, since most
// of a write is a wait for the storage.
//
// Threads: one, which also owns the storage handle; from open to free that has the mail's
// deadline.
// Errors: in the errand, which always comes back. A file is tried for storage.retry, the
// rest once: who misses it makes it anew.
#ifndef WORK_LANE_H
#define WORK_LANE_H

#include "commit/engine_status.h"
#include "core/env.h"
#include "core/storage.h"
#include "log/job.h"
#include "work/mailbox.h"

struct lane;

// All borrowed; they outlive the lane.
struct lane_parts {
    const struct job *job;
    struct storage *storage; // its root is the result directory
    struct env *env;
    struct mail *mail;
    int number; // its box among the mail's
    struct engine_status *status;
    struct waiter *waiter; // ends a wait when mail has arrived
};

struct lane *lane_open(const struct lane_parts *parts);
void lane_run(struct lane *lane); // ends when the uploader says so
void lane_free(struct lane *lane);

#endif
