// SPDX-License-Identifier: Apache-2.0
// Publishes one entry: the commit point. docs/commit-log.md, "Publish entry N".
//
// The entry is made for the end of the log as the state knows it. When that number turns
// out to be taken by an entry that touches none of ours, a new one is made for the next.
// An answer that was lost is settled by reading the number, never by guessing.
#ifndef COMMIT_PUBLISH_H
#define COMMIT_PUBLISH_H

#include "commit/patience.h"
#include "log/job.h"
#include "log/log_state.h"
#include "log/paths.h"

enum publish_outcome {
    PUBLISH_DONE,
    PUBLISH_CONFLICT, // another worker owns one of the partitions
    PUBLISH_LOST,     // our files in tmp are gone
    PUBLISH_STALE,    // the log is not the one that was read: read it again
};

// What an entry is to say.
struct publish_work {
    enum entry_kind kind;
    const struct span *spans;
    size_t n_spans;
    const struct unit *unit;     // NULL: no files
    const struct replay *replay; // NULL: it is none
    int64_t base; // replays: one from this number on is a conflict; claims: an entry from
                  // this number on that touches ours is a conflict
};

struct publish {
    // Given; borrowed.
    struct patience *patience;
    const struct job *job;
    struct log_state *state; // moves on with every entry read or published
    const char *writer;

    // Its own.
    const struct publish_work *work; // of the call that is on
    struct arena arena;              // of the entry
    struct entry entry;              // as made last
    struct buf bytes;
    struct path source;     // where the bytes were written; empty: nowhere
    int64_t n_made_buckets; // the directories of buckets below are there
};

// After any outcome but DONE, and after an error, the work is given up by
// publish_abandon, or PUBLISH_LOST by another call: the entry may still appear.
enum status publish_entry(struct publish *publish, const struct publish_work *work,
                          enum publish_outcome *ret, struct err *err);
// Gives up an entry that may or may not have been published. The order is the rule:
// remove the entry's source and get that answer (from then on it cannot appear any more);
// read its number; only if it is not ours remove our folder with all its data. Where
// that cannot be finished all is left to a later claim of the partitions. On a storage
// that cannot rename there is no source: the files stay, since nothing keeps an entry
// that is on its way from appearing. *ret: it was ours after all, and is applied to the
// state.
enum status publish_abandon(struct publish *publish, bool *ret, struct err *err);
// After that, for what was uploaded meanwhile.
enum status publish_remove_folder(struct publish *publish, struct err *err);
// Of a unit that no entry was made for.
enum status publish_remove_files(struct publish *publish, const struct unit *unit,
                                 struct err *err);
// Whether the files of the entry made last lie in tmp, as long as they should be; their
// bytes were looked at when they were uploaded, by whoever did that.
enum status publish_look_at_files(struct publish *publish, bool *ret, struct err *err);
// ST_OK: the number has an entry, and whether it is the one that was made last.
enum status publish_read(struct publish *publish, struct arena *arena, struct entry *ret,
                         bool *ret_mine, struct err *err);
void publish_release(struct publish *publish);

#endif
