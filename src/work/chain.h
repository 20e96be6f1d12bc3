// SPDX-License-Identifier: Apache-2.0
// What is between a worker and its committer when several units may be on their way: a
// row of messages in the worker's order. Lanes bring the files of all units in it into
// tmp, and beside them the entries, made beforehand by a forecast of the log. Only the
// first of the row goes on to the committer, when all its errands are done, and the next
// when that one was answered: looks and renames stay in order.
//
// When the log is not as foretold (another worker's entry came between, a file lies under
// another name, a claim was lost), entries behind that are made again; what lies in tmp
// of the old ones is removed.
//
// Threads: the uploader's.
#ifndef WORK_CHAIN_H
#define WORK_CHAIN_H

#include "commit/engine_status.h"
#include "commit/forecast.h"
#include "core/env.h"
#include "core/storage.h"
#include "work/message.h"

enum {
    CHAIN_MAX = MAIL_CAPACITY
};

// One message of the worker's.
struct link {
    struct message *message;
    int64_t turn;
    int n_errands;               // under way
    int64_t began_ms, filled_ms; // its files: the first is sent, the last lies there
    bool is_upload;              // its files are to be there
    bool is_entry_under_way;
    struct err err; // of its files
};

struct chain {
    // Given; borrowed.
    const struct job *job;
    bool renames; // the storage can
    struct env *env;
    struct mail *mail;
    struct engine_status *status;

    // Its own.
    struct link links[CHAIN_MAX]; // the first goes on first
    size_t n;
    int64_t n_turns;
    int n_busy[MAIL_LANES_MAX]; // errands of each lane
    struct forecast forecast;
    bool is_handed; // one is the committer's, and not answered
    bool is_ending; // nothing is begun any more, and nobody answers
};

// A worker's, now the chain's.
void chain_add(struct chain *chain, struct message *message);
// A lane's, or the committer's.
void chain_answer(struct chain *chain, struct message *message);
// The one that may go on; NULL: none. After a failure of its files err says why.
struct message *chain_next(struct chain *chain, struct err *err);
// Which of the row may go on when all before it have: a place, or SIZE_MAX.
size_t chain_first(const struct chain *chain);
void chain_end_lanes(struct chain *chain);
void chain_release(struct chain *chain);

#endif
