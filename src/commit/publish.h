// SPDX-License-Identifier: Apache-2.0
// Publishes one entry: the commit point. docs/commit-log.md, "Publish entry N".
//
// The entry is made for the end of the log as the state knows it. When that number turns
// out to be taken by an entry that touches none of ours, a new one is made for the next.
// An answer that was lost is settled by reading the number, never by guessing.
#ifndef COMMIT_PUBLISH_H
#define COMMIT_PUBLISH_H

#include "commit/forecast.h"
#include "commit/patience.h"
#include "log/paths.h"

enum publish_outcome {
    PUBLISH_DONE,
    PUBLISH_CONFLICT, // another worker owns one of the partitions
    PUBLISH_LOST,     // our files in tmp are gone
    PUBLISH_STALE,    // the log is not the one that was read: read it again
};

struct publish {
    // Given; borrowed.
    struct patience *patience;
    const struct job *job;
    struct log_state *state; // moves on with every entry read or published
    const char *writer;

    // Its own.
    const struct publish_work *work;       // of the call that is on
    const struct prepared_entry *prepared; // of it, not looked at yet; NULL: none
    struct made_entry made;                // last
    struct path source;                    // where its bytes were written; empty: nowhere
    bool is_written;                       // it was prepared, and lies there
    int64_t n_made_buckets;                // the directories of buckets below are there
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
// Of a unit that is not to be published; `prepared`: its entry, made beforehand, or NULL.
enum status publish_remove_files(struct publish *publish, const struct unit *unit,
                                 const struct prepared_entry *prepared, struct err *err);
// What is in the log by now forbids the work.
bool publish_is_conflict(const struct publish *publish);
// Makes the entry with the stamp of the one that was prepared: when its bytes are those
// that lie in tmp, they are its source. False: they are not, and go.
bool publish_takes_prepared(struct publish *publish, const struct entry_maker *maker);
// Whether the files of the entry made last lie in tmp, as long as they should be; their
// bytes were looked at when they were uploaded, by whoever did that.
enum status publish_look_at_files(struct publish *publish, bool *ret, struct err *err);
// ST_OK: the number has an entry, and whether it is the one that was made last.
enum status publish_read(struct publish *publish, struct arena *arena, struct entry *ret,
                         bool *ret_mine, struct err *err);
void publish_release(struct publish *publish);

#endif
