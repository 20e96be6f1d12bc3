// SPDX-License-Identifier: Apache-2.0
// Publishes a claim: from here on these partitions are the writer's. On an empty log the
// entry of the job goes before it. Steps as in commit_log.h; what has come of a step is
// in publish->outcome.
#ifndef ENGINE_CLAIM_H
#define ENGINE_CLAIM_H

#include "engine/message.h"
#include "engine/publish.h"

struct claim {
    const struct message *message; // what is asked for; borrowed
    struct span *spans;            // of the entry being published
    size_t n_spans;
};

// publish: storage, env, job, state and writer are set.
void claim_start(struct claim *claim, struct publish *publish,
                 const struct message *message);
enum status claim_step(struct claim *claim, struct publish *publish, struct err *err);
// An entry of it is published: begins the next one, or false: it was the last.
bool claim_goes_on(struct claim *claim, struct publish *publish);
void claim_release(struct claim *claim);

#endif
