// SPDX-License-Identifier: Apache-2.0
// The committer's end of the mail, when it waits for one answer: what else arrives
// meanwhile is kept in its order and read afterwards. Threads: one.
#ifndef WORK_INBOX_H
#define WORK_INBOX_H

#include "work/message.h"

// All borrowed.
struct inbox {
    struct mail *mail;
    struct env *env;
    struct waiter *waiter; // ends a wait when mail has arrived
    struct message *kept[MAIL_CAPACITY];
    size_t n_kept;
    bool has_end;  // ASK_END has arrived
    bool is_asked; // the topic; the answer has not come
};

// The next message that is not an answer of the topic; NULL: there is none.
struct message *inbox_take(struct inbox *inbox);
// Waits for mail, at most until then.
void inbox_wait(struct inbox *inbox, int64_t until_ms);
// The topic's answer, if it is there, else NULL.
struct message *inbox_answer(struct inbox *inbox);
void inbox_tell(struct inbox *inbox, struct message *message); // the worker
void inbox_release(struct inbox *inbox);

#endif
