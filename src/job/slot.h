// SPDX-License-Identifier: Apache-2.0
// A place for one worker of a job on this machine: the first lock file that is free.
//
// While a worker holds one, init --reset does not begin. The kernel gives the lock back
// with the process, however it ends. An orderly end takes the file along, and the job's
// folder with the last of them; what a crash leaves goes with the next run's end. A file
// holds a random name, by which a group knows a worker that begins anew after a crash,
// and that worker what a crash has left in the result's tmp.
#ifndef JOB_SLOT_H
#define JOB_SLOT_H

#include "base/arena.h"
#include "base/status.h"

enum {
    SLOTS_MAX = 64
};

struct slot {
    const char *directory;
    int fd;
    int number;
    const char *worker; // "<host>/<pid>/<slot>" or "<host>/<instance>", for people; UTF-8
    // What its consumer group may know it by again after a crash: the same for the next
    // holder of a slot that a crash left, "<host>_<instance>" where the worker has a name
    // of its own. Of the characters a-z, A-Z, 0-9, '.', '_' and '-'; NULL: nothing is.
    const char *member;
    const char *kept; // a UUID, the same for the next holder of a slot that a crash left;
                      // NULL: nothing is kept
    bool is_left;     // a crash left it
};

// Texts belong to the arena. `instance`: a name of the worker's own, or NULL. ST_LIMIT
// when all are taken.
enum status slot_take(const char *directory, const char *job, const char *instance,
                      struct arena *arena, struct slot *ret, struct err *err);
// Whether slot_take would do, in a directory that may not be there yet; nothing is made.
enum status slot_check(const char *directory, const char *job, struct err *err);
// All slots of a job on this machine: while they are held no worker of it can begin.
struct slots {
    int fds[SLOTS_MAX];
    int n;
};

// False: a worker of the job runs now, or the locks cannot be made; nothing is held then.
bool slots_hold(const char *directory, struct slots *ret);
void slots_release(struct slots *slots, const char *directory);
void slot_release(struct slot *slot);

#endif
