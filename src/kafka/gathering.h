// SPDX-License-Identifier: Apache-2.0
// Workers that begin together wait for each other, so that their start is one rebalance
// and not one for each: none takes what its group gives it before so many are members.
//
// How: the group's first assignments are answered as if nothing of them were read, and
// the group is looked at again and again. The assignment that is read from is one that
// all were there for. What cannot be looked at is not waited for, and nobody is waited
// for longer than 10 s from the first assignment on.
//
// Threads: the stream's.
#ifndef KAFKA_GATHERING_H
#define KAFKA_GATHERING_H

#include "kafka/question.h"

struct kafka_gathering {
    struct kafka_question look; // at the group
    int32_t wanted;             // members; 0: it is over
    int64_t until_ms;           // 0: there was no assignment yet
    int64_t look_at_ms;
    bool look_is_of_before; // asked for before the assignment that is there now
};

enum {
    GATHERING_LOOK_MS = 200 // between two looks
};

void gathering_init(struct kafka_gathering *gathering, struct asker *asker,
                    struct topic *topic, int wake_fd, int32_t wanted);
// There is another assignment.
void gathering_assigned(struct kafka_gathering *gathering);
// Whether the assignment is to be read from; asks for the next look.
bool gathering_is_over(struct kafka_gathering *gathering);

#endif
