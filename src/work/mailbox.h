// SPDX-License-Identifier: Apache-2.0
// Where a worker meets its uploader, its committer and the answers of the topic, and the
// uploader its lanes: bounded mailboxes of whole messages.
//
// A message belongs to who holds it; the receiver frees it. No side has more than a few
// messages under way (one question, one unit more than `ahead`, a few errands for each of
// them, one set of probes for each purpose, one end), so a push always finds room. Any
// thread.
#ifndef WORK_MAILBOX_H
#define WORK_MAILBOX_H

#include <stdatomic.h>
#include <stdbool.h>

#include "commit/wait.h"
#include "core/deadline.h"
#include "core/env.h"

struct message; // work/message.h
struct queue;

enum {
    MAIL_AHEAD_MAX = 8,
    MAIL_LANES_MAX = 2 * MAIL_AHEAD_MAX,
    MAIL_CAPACITY = 64,
    MAIL_HANDS = 256, // to a worker: of each hand its units and a few words beside
    // Beside the worker's messages errands come back: when the files of all units get
    // other names at once, each of these makes all entries behind it, and each entry's
    // predecessor is removed: 2 x 2 x (n + ... + 1) errands, and a few; n: 9, or with
    // many hands 32.
    MAIL_ERRANDS = 4096
};

struct mailbox {
    struct queue *queue;
};

struct mail {
    struct mailbox to_uploader; // what is for the committer goes by it
    struct mailbox to_committer;
    struct mailbox to_worker;
    // Units on their way to the storage while the one before them is published. With one
    // there is no lane: the uploader uploads.
    int ahead;
    int n_lanes;
    struct mailbox to_lanes[MAIL_LANES_MAX];
    // The worker's to set, anybody's to read.
    struct deadline deadline; // of all that uploader and committer are to do
    _Atomic int64_t
        generation; // see message.h: probes of another one are not asked any more
    _Atomic bool only_looks; // no other probes are asked any more
    // The committer's to set: the claim of that generation, and of all before, is lost.
    _Atomic int64_t lost_generation;
};

int mail_lanes(int ahead);                    // how many it has then
void mail_init(struct mail *mail, int ahead); // from 1 to MAIL_AHEAD_MAX
void mail_wake(struct mail *mail);    // ends all waits for its boxes but the worker's
void mail_release(struct mail *mail); // frees what nobody fetched

bool mailbox_try_push(struct mailbox *box, struct message *message) MUST_USE;
bool mailbox_is_empty(const struct mailbox *box);
struct message *mailbox_try_pop(struct mailbox *box); // NULL: empty
// Ends the wait that is on, or else the next one.
void mailbox_wake(struct mailbox *box);
// Waits as a step asked for: not at all, until mail arrives, or until the time has come.
void mailbox_wait(struct mailbox *box, struct wait wait, struct env *env);

// Waits so for the mail of one box.
struct mailbox_waiter {
    struct waiter waiter;
    struct mailbox *box;
    struct env *env;
};
struct mailbox_waiter mailbox_waiter(struct mailbox *box, struct env *env);

#endif
