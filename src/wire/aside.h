// SPDX-License-Identifier: Apache-2.0
// What a thread of its own does aside, and its owner may leave behind: of the two, the
// last one frees what they share.
//
// How it works: the thread writes what it came to into the shared struct, and ends; from
// then on that is the owner's. Zero is a valid start. Threads: one owner, and that one.
#ifndef WIRE_ASIDE_H
#define WIRE_ASIDE_H

#include <stdbool.h>

#include "base/lock.h"

struct wire_aside {
    struct lock lock; // of what follows
    bool is_done, is_left;
};

// `run` gets the struct that both share.
void wire_aside_start(void *(*run)(void *shared), void *shared);
// The thread's last call: all is written. wake_fd, an eventfd, is written to unless the
// owner has left. True: it has, and the struct is the thread's to free.
bool wire_aside_end(struct wire_aside *aside, int wake_fd);
// The owner's: whether it can read what the thread came to.
bool wire_aside_is_done(struct wire_aside *aside);
// The owner's last call. True: the thread has ended, and the struct is the owner's to
// free.
bool wire_aside_leave(struct wire_aside *aside);

#endif
