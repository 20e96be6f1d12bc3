// SPDX-License-Identifier: Apache-2.0
// A program that ends with the one that started it, as by SIGTERM.
//
// The kernel tells when a parent ends, but also when only the thread of it that started
// us does: so each time, and once a second, it is looked whether the parent is another
// process by now. Of one that was gone before we could look the variable TRAMLINE_PARENT
// tells, the parent's process id where it has set that, or a pipe on standard output that
// nobody reads.
//
// Threads: opened by the main thread before it starts others, which then do not get the
// kernel's signal.
#ifndef JOB_PARENT_H
#define JOB_PARENT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

struct parent_watch {
    pthread_t thread;
    pid_t parent;
    bool is_open;
    atomic_bool is_closing;
};

void parent_watch_open(struct parent_watch *watch);
void parent_watch_close(struct parent_watch *watch); // also when it was never opened

#endif
