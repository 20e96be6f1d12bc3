// SPDX-License-Identifier: Apache-2.0
// What can be done for a worker's first claim before it may be published, beside what it
// waits for (its tables are loaded): the log is read, and the entries of the claim are
// made and brought into tmp.
//
// As a forecast (forecast.h) it decides nothing, and nobody sees anything of it: whoever
// claims reads on from the log as it was read here, makes the entries anew, and takes
// those that lie in tmp only when they are the same, to the letter. What came otherwise
// (another worker's entry, other tables, other partitions) costs a write, never more.
//
// The entries lie in a folder of their own in tmp, whose name the next process in this
// one's place knows after a crash: no entry of the log will ever name it.
//
// Owns its memory; zero is none. One thread, but for the two entries, which may be
// written side by side.
#ifndef COMMIT_PREPARED_CLAIM_H
#define COMMIT_PREPARED_CLAIM_H

#include "commit/claim.h"
#include "core/topic.h"

struct prepared_claim {
    char folder[UUID_TEXT];     // given: its name in tmp; empty: nothing is to be written
    struct log_state log;       // as it was read; zero: it was not, or there is none
    char writer[UUID_TEXT];     // of the claim; empty: none was made
    struct prepared_entry *job; // of an empty log, else NULL
    struct prepared_entry *claim; // of all partitions; NULL: none was made
    bool has_files;               // something may lie in the folder
};

// Reads the log to its end; renames and removes nothing. ST_USAGE, ST_DATA: it is not
// this job's (log_state_check_job). After a failure it is not read.
enum status prepared_claim_read(struct prepared_claim *prepared, const struct job *job,
                                struct storage *storage, struct err *err);
// Makes the entries, as they follow on that log: a claim of all partitions that it knows,
// or of all that the topic has. None where the claim is likely to be another one.
enum status prepared_claim_make(struct prepared_claim *prepared, const struct job *job,
                                struct topic *topic, struct env *env, struct err *err);
// prepared_likely.c: whether all partitions will be this worker's: nobody else has some.
bool prepared_claim_is_likely(const struct log_state *log);
// Brings one of the entries there and reads it back, with one try.
enum status prepared_entry_write(struct prepared_entry *entry, struct storage *storage,
                                 struct err *err);
// It was made so long ago that it would be made again.
bool prepared_claim_is_old(const struct prepared_claim *prepared, int64_t wall_ms);
// The folder goes with all that is in it.
enum status prepared_claim_remove(struct prepared_claim *prepared,
                                  struct storage *storage, struct err *err);
void prepared_claim_release(struct prepared_claim *prepared);

#endif
