// SPDX-License-Identifier: Apache-2.0
// What worker and committer say to each other.
//
// Every message carries the worker's generation: it rises with each assignment, revoke,
// loss or conflict, and an answer of an older one is not looked at.
#ifndef ENGINE_MESSAGE_H
#define ENGINE_MESSAGE_H

#include "base/arena.h"
#include "core/source.h"
#include "engine/log_entry.h"
#include "engine/unit.h"

enum message_kind {
    // To the committer.
    ASK_STATE, // read the log to its end, finish renames -> TELL_STATE
    ASK_CLAIM, // .starts (and .origins for an empty log) -> TELL_CLAIMED or _CONFLICT
    ASK_UNIT,  // .unit, now the committer's -> TELL_COMMITTED, _CONFLICT or _DROPPED
    ASK_END,   // the worker has ended: end too
    // To the worker.
    TELL_STATE,
    TELL_CLAIMED,
    TELL_CONFLICT,  // somebody else owns one of the partitions
    TELL_COMMITTED, // .progress is as of after the unit
    TELL_DROPPED,   // a unit of a claim that is no more
    TELL_FAILED,    // .err: the committer has ended
};

struct message {
    enum message_kind kind;
    int64_t generation;
    struct arena arena;
    struct source_start *starts; // to claim
    size_t n_starts;
    struct source_start *origins; // where all partitions begin, for entry 0
    size_t n_origins;
    struct unit *unit;
    bool is_of_unit;    // an answer to ASK_UNIT
    int64_t next_entry; // the log's end, 0: there is no log; of a claim: as it was told
    struct progress *progress; // of all partitions that the log knows, rising
    size_t n_progress;
    struct err err;
};

struct message *message_new(enum message_kind kind, int64_t generation);
void message_free(struct message *message); // and its unit

#endif
