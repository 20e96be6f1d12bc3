// SPDX-License-Identifier: Apache-2.0
// Turns units of work into log entries: recovery, claim, upload, publish, renames, and
// the cleaning that the log allows. docs/commit-log.md is its law.
//
// How: answers its worker's messages one after another. Each phase is a small machine
// that makes about one storage call a step and may be repeated; a call that failed for
// now is made again after a pause that step() returns, for storage.retry at most.
//
// Once the worker has set the mail's deadline, pauses and calls end there, and what is
// not done by then fails.
//
// Threads: one, which also owns the storage handle; from open to free that has the mail's
// deadline.
// Errors: a final one is told to the worker, ends the committer, and stays in
// committer_result().
#ifndef ENGINE_COMMITTER_H
#define ENGINE_COMMITTER_H

#include "core/env.h"
#include "core/storage.h"
#include "engine/engine_status.h"
#include "engine/job.h"
#include "engine/mailbox.h"

struct committer;

// All borrowed; they outlive the committer.
struct committer_parts {
    const struct job *job;
    struct storage *storage; // its root is the result directory
    struct env *env;
    struct mail *mail;
    struct engine_status *status;
    struct waiter *waiter; // ends a wait when mail has arrived
};

struct committer *committer_open(const struct committer_parts *parts);
// Ends after its worker did.
void committer_run(struct committer *committer);
// After that: ST_OK, or why it ended.
enum status committer_result(const struct committer *committer, struct err *ret);
void committer_free(struct committer *committer);

#endif
