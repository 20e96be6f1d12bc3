// SPDX-License-Identifier: Apache-2.0
// What worker, committer and prober say to each other.
//
// Every message carries the worker's generation: it rises with each assignment, revoke,
// loss or conflict, and an answer of an older one is not looked at.
#ifndef WORK_MESSAGE_H
#define WORK_MESSAGE_H

#include "base/arena.h"
#include "work/draft.h"
#include "work/probe.h"

enum message_kind {
    // To the committer.
    ASK_STATE, // read the log to its end, finish renames -> TELL_STATE
    ASK_CLAIM, // .starts (and .origins for an empty log) -> TELL_CLAIMED or _CONFLICT
    ASK_UNIT,  // .draft, now the committer's -> TELL_COMMITTED, _CONFLICT or _DROPPED
    ASK_END,   // the worker has ended: end too
    // To the prober, and back with the answers.
    ASK_TOPIC, // .purpose, .probes -> TELL_TOPIC
    // To the worker.
    TELL_TOPIC, // .err: ST_RETRY: not all are answered; ST_OK; else final
    TELL_STATE,
    TELL_CLAIMED,   // .writer
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
    struct draft *draft;
    struct str writer;  // of the claim
    bool is_of_unit;    // an answer to ASK_UNIT
    int64_t next_entry; // the log's end, 0: there is no log; of a claim: as it was told
    struct progress *progress; // of all partitions that the log knows, rising
    size_t n_progress;
    enum probe_purpose purpose;
    struct probe *probes;
    size_t n_probes;
    bool ends_when_seen; // with the first probe whose record is still there
    struct err err;
};

struct message *message_new(enum message_kind kind, int64_t generation);
// ASK_TOPIC with room for so many probes and none yet.
struct message *message_probes(enum probe_purpose purpose, int64_t generation,
                               size_t n_most);
void message_free(struct message *message); // and its unit

#endif
