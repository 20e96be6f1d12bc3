// SPDX-License-Identifier: Apache-2.0
// What a step() waits for, and how blocking code waits. A worker never sleeps by
// itself: the owner of its threads does, or does not (the simulator). A wait may end
// early (mailbox_wake): what is waited for is then looked at again.
#ifndef COMMIT_WAIT_H
#define COMMIT_WAIT_H

#include <stdint.h>

enum wait_kind {
    WAIT_NOTHING, // call step() again
    WAIT_MAIL,    // until mail arrives, but not past until_ms
    WAIT_TIME,    // until until_ms, mail or not
    WAIT_DONE,    // it has ended; do not call step() again
};

struct wait {
    enum wait_kind kind;
    int64_t until_ms; // env's monotonic time
};

// How blocking code waits: a thread sleeps, an actor of the simulator gives up its turn.
struct waiter {
    void (*wait)(struct waiter *waiter, struct wait wait);
};

#endif
