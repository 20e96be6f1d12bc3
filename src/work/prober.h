// SPDX-License-Identifier: Apache-2.0
// Asks the topic what a worker wants to know of it, so that reading never waits for an
// answer. Each question is asked once; the worker decides whether to ask again.
//
// Threads: one, which makes the source's questions and no other call of it.
// Errors: it has none of its own; what a question came to is in its answer.
#ifndef WORK_PROBER_H
#define WORK_PROBER_H

#include "core/env.h"
#include "core/source.h"
#include "work/mailbox.h"

struct prober;

// All borrowed; they outlive the prober.
struct prober_parts {
    struct source *source;
    struct env *env;
    struct mail *mail;
};

struct prober *prober_open(const struct prober_parts *parts);
// Asks one question. Ends after its worker did.
struct wait prober_step(struct prober *prober);
void prober_free(struct prober *prober);

#endif
