// SPDX-License-Identifier: Apache-2.0
// Publishes one entry: the commit point. docs/commit-log.md, "Publish entry N".
//
// The entry is made for the end of the log as the state knows it. When that number turns
// out to be taken by an entry that touches none of ours, a new one is made for the next.
// An answer that was lost is settled by reading the number, never by guessing.
// Steps as in commit_log.h. After a status that lasts too long or is final the caller
// goes on with an `abandon`: the entry may still appear.
#ifndef ENGINE_PUBLISH_H
#define ENGINE_PUBLISH_H

#include "core/storage.h"
#include "engine/log_state.h"
#include "engine/paths.h"
#include "engine/unit.h"

enum publish_outcome {
    PUBLISH_GOES_ON,
    PUBLISH_DONE,
    PUBLISH_CONFLICT, // another worker owns one of the partitions
    PUBLISH_LOST,     // our files in tmp are gone: upload them again
    PUBLISH_STALE,    // the log is not the one that was read: read it anew
};

enum publish_phase {
    PUBLISH_BUILD,
    PUBLISH_WRITE,
    PUBLISH_CHECK,
    PUBLISH_MKDIR,
    PUBLISH_LOOK,
    PUBLISH_RENAME,
    PUBLISH_READ,
    PUBLISH_END,
};

struct publish {
    // Given; borrowed until the end.
    struct storage *storage;
    struct env *env;
    const struct job *job;
    struct log_state *state; // moves on with every entry read or published
    enum entry_kind kind;
    const char *writer;
    const struct span *spans;
    size_t n_spans;
    const struct unit *unit; // NULL: no files
    const struct path *tmp;  // of each file of the unit
    int64_t base; // claims: an entry from this number on that touches ours is a conflict

    // Its own.
    enum publish_phase phase;
    enum publish_outcome outcome;
    struct arena arena; // of the entry
    struct entry entry; // as made last
    struct buf bytes;
    struct path source;     // where the bytes were written
    bool source_gone;       // the rename did not find it
    int64_t n_made_buckets; // the directories of buckets below are there
};

void publish_start(struct publish *publish); // after the given fields are set anew
enum status publish_step(struct publish *publish, struct err *err); // sets outcome
void publish_release(struct publish *publish);

// Whether the entry with that number is the one that was made last.
enum status publish_read_back(struct publish *publish, struct arena *arena,
                              struct entry *ret, bool *ret_mine, struct err *err);

#endif
