// SPDX-License-Identifier: Apache-2.0
// Makes one entry, as it follows on a state of the log, and its bytes: from what it is to
// say, its writer, attempt and time alone, so that the same of them give the same bytes.
#ifndef COMMIT_MAKE_ENTRY_H
#define COMMIT_MAKE_ENTRY_H

#include "core/env.h"
#include "log/job.h"
#include "log/log_state.h"

struct prepared_entry; // commit/forecast.h

// What an entry is to say.
struct publish_work {
    enum entry_kind kind;
    const struct span *spans;
    size_t n_spans;
    const struct unit *unit;     // NULL: no files
    const struct replay *replay; // NULL: it is none
    int64_t base; // replays: one from this number on is a conflict; claims: an entry from
                  // this number on that touches ours is a conflict
    const struct prepared_entry *prepared; // NULL: none; its bytes may lie in tmp
};

// Borrowed.
struct entry_maker {
    const struct job *job;
    const struct log_state *state; // of the entry before
    struct str writer;
    bool renames; // the storage can; else files lie at their place for good
};

struct entry_stamp {
    char attempt[UUID_TEXT];
    int64_t time_ms;
};
struct entry_stamp entry_stamp(struct env *env); // a new attempt, now

// Owns its memory; zero is none.
struct made_entry {
    struct arena arena;
    struct entry entry;
    struct buf bytes;
};
void made_entry_release(struct made_entry *made);

// ST_FAIL, ST_DATA: nobody could read it, or it does not follow on the state.
enum status entry_make(const struct entry_maker *maker, const struct publish_work *work,
                       const struct entry_stamp *stamp, struct made_entry *ret,
                       struct err *err);

#endif
