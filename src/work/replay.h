// SPDX-License-Identifier: Apache-2.0
// Replays dead letters: their bytes go through today's script and tables, and what comes
// of them, rows and letters that fail again, is committed in one entry that names each
// letter taken. So a letter is replayed once, whatever ends the program and whoever
// replays beside it: docs/commit-log.md, "Replay".
//
// Threads: one.
#ifndef WORK_REPLAY_H
#define WORK_REPLAY_H

#include "log/dead_book.h"
#include "work/worker.h"

enum {
    REPLAY_LETTERS_MAX = 100000 // of one entry; the oldest first
};

// All borrowed. Of the job the settings of what is bad are not heeded: whoever replays
// looks at what fails again.
struct replay_parts {
    const struct job *job;
    const struct topic *topic; // its names
    struct decoder *decoder;
    struct executor *executor;
    struct file_writer *writer;
    struct spool *spool;
    struct storage *storage; // its root is the result directory
    struct env *env;
    struct waiter *waiter;
};

struct replay_report {
    int64_t entry; // number of the entry; -1: there was no letter
    int64_t records, rows, matched, ignored, rejected;
    bool has_more; // letters beyond the limit
};

// ST_CONFLICT: another replay was committed meanwhile, or the files are gone; nothing of
// this one was.
enum status replay_letters(const struct replay_parts *parts,
                           const struct dead_filter *filter, struct replay_report *ret,
                           struct err *err);

#endif
