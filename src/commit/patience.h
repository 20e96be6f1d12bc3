// SPDX-License-Identifier: Apache-2.0
// A storage whose calls are made again when they failed for now: after pauses that grow,
// for storage.retry at most, or until the deadline. So the protocol above it reads as if
// every call were answered.
//
// All calls but write, publish and create_exclusive: what these came to has to be looked
// at first, so their caller makes them again (patience_again). At leisure no call is made
// again, and none begins any more once somebody calls (ST_STOP).
//
// Threads: one. Errors: those of the storage; one that lasted says how long.
#ifndef COMMIT_PATIENCE_H
#define COMMIT_PATIENCE_H

#include "commit/engine_status.h"
#include "commit/retry.h"
#include "commit/wait.h"
#include "core/env.h"
#include "core/storage.h"

// All borrowed; they outlive it.
struct patience_parts {
    struct storage *storage;
    struct env *env;
    struct waiter *waiter;
    const struct deadline *deadline;
    struct engine_status *status; // its n_waiting
    int64_t limit_ms;             // from the first failure in a row on
    bool (*is_called)(void *context);
    void *context;
};

struct patience {
    struct storage storage; // the patient one; first member
    struct patience_parts parts;
    struct retry retry;
    int64_t began_ms;  // the call made last
    bool has_deadline; // as of the last look
    bool is_attempt;   // calls that go well are not progress: the pauses go on rising
    bool is_leisure;
    int n_failures_left; // 0: as many as there is time for
    bool is_waiting;
};

void patience_init(struct patience *patience, const struct patience_parts *parts);
// After one of these: true after a pause, make it again. Else *rc is final.
bool patience_again(struct patience *patience, enum status *rc, struct err *err);
// What is repeated is all that comes until the end.
void patience_attempt(struct patience *patience);
// As one attempt that may fail so many times.
void patience_attempt_times(struct patience *patience, int n);
void patience_attempt_end(struct patience *patience);

#endif
