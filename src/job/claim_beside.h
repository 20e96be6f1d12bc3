// SPDX-License-Identifier: Apache-2.0
// Prepares a worker's claim on a thread of its own while its tables are loaded
// (commit/prepared_claim.h). Nothing of it is told: what fails here is left to the claim
// itself, which meets the same and says so.
//
// Threads: the caller's, and the one that it starts. Until claim_beside_end nobody else
// uses the topic and the storages.
#ifndef JOB_CLAIM_BESIDE_H
#define JOB_CLAIM_BESIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "commit/prepared_claim.h"
#include "job/pipeline.h"
#include "job/slot.h"

// All borrowed; they outlive it.
struct claim_beside_parts {
    const struct pipeline *pipeline;
    const struct job *job; // but for the tables' version
    const struct slot *slot;
    struct topic *topic;
    struct storage *storage, *uploads; // two of the result directory
};

struct claim_beside {
    struct claim_beside_parts parts;
    struct pipeline pipeline; // with the deadline here
    struct job job;           // with the tables' version, as they are staged now
    char version[65];
    struct deadline deadline;              // of all that it asks
    const struct deadline *topic_deadline; // the topic's own, meanwhile kept here
    struct prepared_claim *claim;
    pthread_t thread;
    int done_fd; // -1: it did not begin
    atomic_bool is_unwanted;
};

void claim_beside_begin(struct claim_beside *beside,
                        const struct claim_beside_parts *parts);
// Waits for its end, not for long. True: *ret is the caller's; whoever claims has to
// remove what lies in its folder. Else, where it is not wanted or did not begin, nothing
// is left and *ret is NULL.
void claim_beside_end(struct claim_beside *beside, bool is_wanted,
                      struct prepared_claim **ret);
// Of a claim that will not be, NULL: of none. Nothing is left in the storage.
void claim_beside_drop(struct storage *storage, struct prepared_claim *claim);

#endif
