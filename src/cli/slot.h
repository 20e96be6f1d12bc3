// SPDX-License-Identifier: Apache-2.0
// A place for one worker of a job on this machine: the first lock file that is free.
//
// The slot's number makes the static member's id, so that a worker started after a crash
// has its predecessor's partitions at once. The kernel gives the lock back with the
// process, however it ends.
#ifndef CLI_SLOT_H
#define CLI_SLOT_H

#include "base/arena.h"
#include "base/status.h"

enum {
    SLOTS_MAX = 64
};

struct slot {
    int fd;
    int number;
    const char *instance; // "<job>/<host>/<slot>", fit for group.instance.id
    const char *worker;   // "<host>/<pid>/<slot>", for people
};

// Texts belong to the arena. ST_LIMIT when all are taken.
enum status slot_take(const char *directory, const char *job, struct arena *arena,
                      struct slot *ret, struct err *err);
// Whether any worker of the job runs on this machine now.
bool slot_any_taken(const char *directory);
void slot_release(struct slot *slot);

#endif
