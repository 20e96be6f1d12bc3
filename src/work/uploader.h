// SPDX-License-Identifier: Apache-2.0
// Between a worker and its committer: hands each message on, in order, and has uploaded
// the files of a unit before it does. So one unit is uploaded while the one before is
// published, or several are, by the mail's lanes (chain.h).
//
// Of a claim that is known to be lost nothing is uploaded; the committer drops the unit.
// Once the worker has set the mail's deadline, what is not done by then fails.
//
// Threads: one, which also owns the storage handle; from open to free that has the mail's
// deadline.
// Errors: a final one is told to the worker and stays in uploader_result(). No unit goes
// on after it, the worker's end still does.
#ifndef WORK_UPLOADER_H
#define WORK_UPLOADER_H

#include "commit/engine_status.h"
#include "core/env.h"
#include "core/storage.h"
#include "log/job.h"
#include "work/mailbox.h"

struct uploader;

// All borrowed; they outlive the uploader.
struct uploader_parts {
    const struct job *job;
    struct storage *storage; // its root is the result directory
    struct env *env;
    struct mail *mail;
    struct engine_status *status;
    struct waiter *waiter; // ends a wait when mail has arrived
};

struct uploader *uploader_open(const struct uploader_parts *parts);
void uploader_run(struct uploader *uploader); // ends after its worker did
// After that: ST_OK, or why it gave up.
enum status uploader_result(const struct uploader *uploader, struct err *ret);
void uploader_free(struct uploader *uploader);

#endif
