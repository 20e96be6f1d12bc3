// SPDX-License-Identifier: Apache-2.0
// A committer at the other end of its worker's mail: answers one message after another,
// and tidies up when there is none. A unit is published once the topic is seen to be the
// one of before (look.h).
//
// Once the worker has set the mail's deadline, what is not done by then fails.
//
// Threads: one, which also owns the storage handle; from open to free that has the mail's
// deadline.
// Errors: a final one is told to the worker, ends the service, and stays in
// commit_service_result().
#ifndef WORK_COMMIT_SERVICE_H
#define WORK_COMMIT_SERVICE_H

#include "commit/engine_status.h"
#include "core/env.h"
#include "core/storage.h"
#include "core/topic.h"
#include "log/job.h"
#include "work/mailbox.h"

struct commit_service;
struct prepared_claim;

// All borrowed; they outlive the service.
struct commit_service_parts {
    const struct job *job;
    struct storage *storage; // its root is the result directory
    struct topic *topic;
    struct asker *asker; // of questions to the topic
    struct env *env;
    struct mail *mail;
    struct engine_status *status;
    struct waiter *waiter;           // ends a wait when mail has arrived
    struct prepared_claim *prepared; // for the first claim (committer.h); NULL: nothing
};

struct commit_service *commit_service_open(const struct commit_service_parts *parts);
// Ends after its worker did.
void commit_service_run(struct commit_service *service);
// After that: ST_OK, or why it ended.
enum status commit_service_result(const struct commit_service *service, struct err *ret);
void commit_service_free(struct commit_service *service);

#endif
