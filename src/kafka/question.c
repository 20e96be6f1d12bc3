// SPDX-License-Identifier: Apache-2.0
#include "kafka/question.h"

#include <unistd.h>

#include "kafka/topic.h"

enum {
    RANK = 1000 // after those of the workers
};

static bool ask(struct question *base)
{
    struct kafka_question *question = (struct kafka_question *)base;
    struct topic *topic = question->topic;
    struct err *err = &question->err;
    switch (question->partition) {
    case QUESTION_COUNT:
        question->status = topic->ops->count(topic, &question->count, err);
        break;
    case QUESTION_GROUP:
        question->status = kafka_topic_group(topic, &question->group, err);
        break;
    default:
        question->status =
            topic->ops->range(topic, question->partition, &question->range, err);
    }
    return true;
}

static void answered(struct question *base)
{
    struct kafka_question *question = (struct kafka_question *)base;
    const uint64_t one = 1;
    int wake_fd = question->wake_fd;
    atomic_store(&question->is_answered, true);
    ssize_t n = write(wake_fd, &one, sizeof(one));
    (void)n; // a counter that is full wakes, too
}

// It stays asked: nobody will poll any more.
static void dropped(UNUSED struct question *base)
{
}

static const struct question_ops ops = {
    .ask = ask,
    .answered = answered,
    .dropped = dropped,
};

void question_init(struct kafka_question *question, struct asker *asker,
                   struct topic *topic, int wake_fd)
{
    *question = (struct kafka_question){
        .question = {.ops = &ops, .rank = RANK},
        .asker = asker,
        .topic = topic,
        .wake_fd = wake_fd,
    };
}

void question_ask(struct kafka_question *question, int32_t partition)
{
    if (question->is_asked)
        return;
    question->is_asked = true;
    question->partition = partition;
    asker_ask(question->asker, &question->question);
}

bool question_take(struct kafka_question *question)
{
    if (!question->is_asked || !atomic_exchange(&question->is_answered, false))
        return false;
    question->is_asked = false;
    return true;
}

bool question_is_final(const struct kafka_question *question)
{
    return question->status != ST_OK && question->status != ST_RETRY;
}

enum status question_fail(const struct kafka_question *question, struct err *err)
{
    return err_set(err, question->status, "%s", question->err.text);
}
