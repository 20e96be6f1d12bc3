// SPDX-License-Identifier: Apache-2.0
// What a stream itself wants to know of its topic. It has an asker ask, and looks at each
// poll whether the answer has come: it never waits for it.
//
// Threads: one owner; the asker's while it asks.
#ifndef KAFKA_QUESTION_H
#define KAFKA_QUESTION_H

#include <stdatomic.h>

#include "base/asker.h"
#include "core/topic.h"
#include "kafka/group.h"

enum {
    // In the place of a partition.
    QUESTION_COUNT = -1, // how many are there
    QUESTION_GROUP = -2  // who is in the stream's group
};

struct kafka_question {
    struct question question; // first: a kafka_question is a question
    struct asker *asker;      // borrowed
    struct topic *topic;      // borrowed
    int wake_fd;              // an eventfd: the answer wakes the owner
    atomic_bool is_answered;
    bool is_asked; // and the answer was not taken
    int32_t partition;
    // The answer, once it is taken.
    enum status status;
    struct err err;
    int32_t count;
    struct topic_range range;
    struct group_look group;
};

void question_init(struct kafka_question *question, struct asker *asker,
                   struct topic *topic, int wake_fd);
// Does nothing while one is asked.
void question_ask(struct kafka_question *question, int32_t partition);
// True: an answer has come since the last call.
bool question_take(struct kafka_question *question);
// It came to an error that is not a matter of time.
bool question_is_final(const struct kafka_question *question);
enum status question_fail(const struct kafka_question *question, struct err *err);

#endif
