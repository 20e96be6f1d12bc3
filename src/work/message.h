// SPDX-License-Identifier: Apache-2.0
// What worker, uploader and committer say to each other, and what the worker asks of the
// topic.
//
// Every message carries the worker's generation: it rises with each assignment, revoke,
// loss or conflict, and an answer of an older one is not looked at.
#ifndef WORK_MESSAGE_H
#define WORK_MESSAGE_H

#include "base/arena.h"
#include "base/asker.h"
#include "commit/forecast.h"
#include "work/draft.h"
#include "work/mailbox.h"
#include "work/probe.h"

enum message_kind {
    // To the committer, by the uploader.
    ASK_STATE, // read the log to its end, finish renames -> TELL_STATE
    ASK_CLAIM, // .starts (and .origins for an empty log) -> TELL_CLAIMED or _CONFLICT
    ASK_UNIT,  // .draft, now the committer's -> TELL_COMMITTED, _CONFLICT or _DROPPED
    ASK_END,   // the worker has ended: end too
    // To a lane, and back to the uploader with .err.
    ASK_FILE,   // .file of .of_draft, to .path -> .path where it lies in the end
    ASK_ENTRY,  // .bytes to .path, one try
    ASK_REMOVE, // .path, one try
    // To the uploader, by the committer.
    TELL_DONE, // with what was handed on last; .log, where that is not as foretold
    // To the asker, and back with the answers.
    ASK_TOPIC, // .purpose, .probes -> TELL_TOPIC
    // To the worker, TELL_TOPIC also to the committer.
    TELL_TOPIC, // .err: ST_RETRY: not all are answered; ST_OK; else final
    TELL_STATE,
    TELL_CLAIMED,   // .writer
    TELL_CONFLICT,  // somebody else owns one of the partitions
    TELL_COMMITTED, // .progress is as of after the unit
    TELL_DROPPED, // a unit of a claim that is no more; .err: or was not looked at in time
    TELL_WAITING, // with a unit, for the topic; .err: why
    TELL_FAILED,  // .err: the committer, or that hand, has ended
    // To the worker, by a hand (hand.h).
    TELL_MADE,  // .draft
    TELL_RESTS, // as it was told
    TELL_READ,  // --once: all that it is to read
    TELL_CUT,   // the program is asked to stop
    TELL_AWAY,  // .err: what it waits for
};

struct message {
    struct question question; // first member: ASK_TOPIC is a question
    enum message_kind kind;
    int64_t generation;
    struct arena arena;
    struct stream_start *starts; // to claim
    size_t n_starts;
    struct stream_start *origins; // where all partitions begin, for entry 0
    size_t n_origins;
    struct draft *draft;
    struct prepared_entry *prepared; // of a unit, NULL: none; the draft's must outlive it
    struct log_state *log;           // NULL: as foretold
    int64_t turn;                    // of an errand: the unit's among all messages
    int lane;
    struct draft *of_draft; // borrowed
    size_t file;            // which of its
    struct path path;
    struct str bytes;
    struct str writer;  // of the claim
    bool is_of_unit;    // an answer to ASK_UNIT
    int hand;           // whose unit, or who tells; from 1, 0: the worker itself
    int64_t next_entry; // the log's end, 0: there is no log; of a claim: as it was told
    struct progress *progress; // of all partitions that the log knows, rising
    size_t n_progress;
    char topic_id[TOPIC_ID_TEXT]; // as the log tells it
    enum probe_purpose purpose;
    struct probe *probes;
    size_t n_probes, n_asked;
    bool ends_when_seen; // with the first probe whose record is still there
    struct topic *topic;
    struct mail *mail;    // generation and such of it
    struct mailbox *back; // where the answer goes
    struct err err;
};

struct message *message_new(enum message_kind kind, int64_t generation);
// ASK_TOPIC with room for so many probes and none yet.
struct message *message_probes(enum probe_purpose purpose, int64_t generation,
                               size_t n_most);
void message_free(struct message *message); // and its unit
// Has the probes asked of the topic; the message comes back to that box.
void probes_ask(struct message *message, struct asker *asker, struct topic *topic,
                struct mail *mail, struct mailbox *back);

#endif
