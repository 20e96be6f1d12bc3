// SPDX-License-Identifier: Apache-2.0
// Before a unit is published: is the topic still the one of before? Where unit and log
// know the topic's id, that says so, and nobody is asked. Else records that were read
// before the unit are read again, in other partitions each time, until one is seen
// (witness.h). Waits for that as long as it takes: a topic that does not answer may be
// another one by now. Meanwhile others may write of partitions that do answer, so the log
// is read on before each further look.
//
// Threads: the committer's.
#ifndef WORK_LOOK_H
#define WORK_LOOK_H

#include "commit/committer.h"
#include "core/topic.h"
#include "work/inbox.h"

// All borrowed.
struct look {
    struct inbox *inbox;
    struct committer *committer;
    struct topic *topic;
    struct asker *asker;
    struct engine_status *status; // its n_waiting
    size_t turn;                  // of the partitions to look at
};

enum look_outcome {
    LOOK_SAME,
    LOOK_UNWANTED, // the unit is nobody's any more
    LOOK_LATE,     // no answer by the mail's deadline; err says which
};

// Of a unit of that generation. Errors: final, the topic was recreated or cut.
enum status look_at_topic(struct look *look, const struct unit *unit, int64_t generation,
                          enum look_outcome *ret, struct err *err);

#endif
