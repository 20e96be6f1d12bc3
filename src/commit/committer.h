// SPDX-License-Identifier: Apache-2.0
// Turns units of work into log entries: recovery, claims, commits, and the cleaning that
// the log allows. docs/commit-log.md is its law.
//
// How: plain calls that block, each until it is done or failed for good: what failed for
// now is made again for storage.retry at most (patience.h). After a failure the committer
// is of no more use.
//
// Threads: one, which also owns the storage handle.
#ifndef COMMIT_COMMITTER_H
#define COMMIT_COMMITTER_H

#include "commit/prepared_claim.h"

struct committer;

// All borrowed; they outlive the committer.
struct committer_parts {
    const struct job *job;
    struct storage *storage; // its root is the result directory
    struct env *env;
    struct waiter *waiter;
    const struct deadline *deadline; // of all that it is to do
    struct engine_status *status;
    struct prepared_claim *prepared;  // of the first claim; it is used up. NULL: none is
    bool (*is_called)(void *context); // somebody waits for the end of committer_tidy
    void *context;
};

struct committer *committer_open(const struct committer_parts *parts);
// Reads the log to its end and finishes renames. Refuses another job's directory.
enum status committer_recover(struct committer *com, struct err *err);
// Under a fresh writer id. ST_CONFLICT: somebody else owns one of the partitions.
enum status committer_claim(struct committer *com, const struct claim *claim,
                            struct err *err);
// Needs a claim of the unit's partitions, and its files in the claim's folder.
// ST_CONFLICT: the claim holds no more, or the files are gone: what is in the log decides
// where to read on. `prepared`: its entry, made beforehand, or NULL.
enum status committer_commit(struct committer *com, const struct unit *unit,
                             const struct prepared_entry *prepared, struct err *err);
// A unit that is not to be committed any more: its files go, so does its entry that was
// made beforehand, or NULL.
void committer_drop(struct committer *com, const struct unit *unit,
                    const struct prepared_entry *prepared);
// The letters of the log as committer_state has it now are to be replayed: files go into
// the folder of a fresh writer.
void committer_begin_replay(struct committer *com);
// Publishes what became of them. ST_CONFLICT: another replay was published since the
// begin, the files are gone, or the log is another one: nothing of this one is.
enum status committer_replay(struct committer *com, const struct unit *unit,
                             const struct replay *replay, struct err *err);
// Nothing more is to be committed by the claim: what lies in its folder goes, if nobody
// needs it, else by a later claim.
void committer_leave(struct committer *com);
bool committer_has_claim(const struct committer *com);
const char *committer_writer(const struct committer *com); // of the claim made last
// Where the log stands, as far as it was read.
const struct log_state *committer_state(const struct committer *com);

// One piece of what is left over and that nobody waits for; false: there is none. An
// error leaves it for later.
bool committer_tidy(struct committer *com);
// The same, of what must not be left to others at the end.
bool committer_tidy_last(struct committer *com);
// What was prepared for a claim and not used goes, with one try; also after a failure.
void committer_drop_prepared(struct committer *com);
void committer_free(struct committer *com);

#endif
