// SPDX-License-Identifier: Apache-2.0
// Questions whose answers may take long, asked one after another on a thread of their
// own, so that whoever wants to know waits no longer than he likes.
//
// How: a question is a struct of whoever asks, with a struct question as its first
// member. It is the asker's from asker_ask() until its answered() or dropped(). It is
// worked on in pieces; before each the most urgent question is chosen, of equals the
// oldest. There are as many as their owners have; the asker adds none.
//
// Threads: asker_ask() and asker_end() from any; the pieces are worked on by the asker's
// own thread, or by whoever calls asker_step() where it was not started.
#ifndef BASE_ASKER_H
#define BASE_ASKER_H

#include <stdbool.h>

struct question;

struct question_ops {
    // One bounded piece of asking. True: it was the last.
    bool (*ask)(struct question *question);
    // It has been asked to its end, and is its owner's again.
    void (*answered)(struct question *question);
    // The same, but the asker has ended before.
    void (*dropped)(struct question *question);
};

struct question {
    const struct question_ops *ops;
    int rank; // lower ones go first
    struct question *next;
};

struct asker;

struct asker *asker_open(void);
void asker_start(struct asker *asker); // its thread
void asker_ask(struct asker *asker, struct question *question);
// Nothing is asked any more but the piece that is being worked on.
void asker_end(struct asker *asker);
// Works on one piece; false: there was none.
bool asker_step(struct asker *asker);
bool asker_is_idle(struct asker *asker); // it has nothing to do
bool asker_has_ended(struct asker *asker);
// Ends it, and waits for that: no question is the asker's after it. For the owner.
void asker_join(struct asker *asker);
void asker_close(struct asker *asker); // joins; NULL is fine

#endif
