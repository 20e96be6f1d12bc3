// SPDX-License-Identifier: Apache-2.0
// SIGTERM and SIGINT: the first one asks the program to stop, a second one ends it at
// once. Whatever it still waits for STOP_GUARD_MS after the first (a pipe that nobody
// reads, a file system that is away, a library) is left as it is: what was committed
// stays committed, as after a crash.
//
// Nothing below job/ knows of signals: ports know deadlines. What a command waits for
// borrows one of the two here, and the signal's handler sets them. It touches nothing
// else that could be gone by then.
//
// Threads: all of it from any, but for stop_catch(): the main thread, one command after
// another.
#ifndef JOB_STOP_H
#define JOB_STOP_H

#include "base/status.h"
#include "core/deadline.h"

enum {
    // From the signal to the end of the process, whatever is away: what is still there
    // then is ended. All that a stop takes is taken from this.
    STOP_GUARD_MS = 9000,
    STOP_MS = STOP_GUARD_MS - 300,
    STOP_COMMIT_MS = STOP_MS - 2000, // of it for the last commit; then the group is left
    STOP_ORPHAN_MS = 2000,           // less of each, when it is the parent that has ended
};

// From here on a signal is seen. Waits that an earlier command of this process has ended
// begin again. Fails without a file descriptor.
enum status stop_catch(struct err *err);
bool stop_is_asked(void);
// As SIGTERM does, unless one came already: a second one would end the process at once.
// The parent has ended, and that was seen late: it is to take STOP_ORPHAN_MS less.
void stop_ask_orphan(void);
int64_t stop_commit_ms(void); // STOP_COMMIT_MS, or that much less

// Of what is not wanted any more after a signal: the signal ends it. A command may end
// its own waits, too.
struct deadline *stop_waits(void);
// Of what is to be finished all the same: a signal sets it to STOP_MS from then.
const struct deadline *stop_farewell(void);

// Readable once a signal came.
int stop_fd(void);
// A descriptor that becomes readable when a thread writes to it; the caller's.
enum status stop_open_event(int *ret_fd, struct err *err);

// From here on the process ends within this time, if not by itself: with this exit code
// and these words. Instead of the guard of a signal, until stop_guard_end.
void stop_guard(int code, const char *words, int64_t within_ms);
void stop_guard_end(void);

// Whether a failure with this status is nothing but a wait that the signal has ended.
bool stop_is_why(enum status status);

#endif
