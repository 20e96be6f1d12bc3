// SPDX-License-Identifier: Apache-2.0
#include <assert.h>

#include "work/message.h"
#include "work/topic_check.h"

// That there is no record at the offset, but one behind it, is not a failure.
static enum status measure_lag(struct topic *topic, struct probe *probe, struct err *err)
{
    struct record record;
    probe->time_ms = -1;
    TRY(topic->ops->range(topic, probe->partition, &probe->range, err));
    if (probe->next < probe->range.low || probe->next >= probe->range.high)
        return ST_OK;
    enum status rc =
        topic->ops->fetch(topic, probe->partition, probe->next, &record, err);
    if (rc == ST_OK)
        probe->time_ms = record.time_ms;
    return rc == ST_NOT_FOUND ? ST_OK : rc;
}

static enum status answer_to(struct topic *topic, struct probe *probe, struct err *err)
{
    switch (probe->kind) {
    case PROBE_COUNT:
        return topic->ops->count(topic, &probe->count, err);
    case PROBE_RANGE:
        return topic->ops->range(topic, probe->partition, &probe->range, err);
    case PROBE_TIME:
        return topic->ops->offset_at(topic, probe->partition, probe->time_ms,
                                     &probe->offset, err);
    case PROBE_LAG:
        return measure_lag(topic, probe, err);
    case PROBE_CHECK:
        return topic_check(topic, probe, err);
    }
    return ST_OK;
}

static bool is_wanted(const struct message *message)
{
    const struct mail *mail = message->mail;
    return message->generation == atomic_load(&mail->generation) &&
           (!atomic_load(&mail->only_looks) || message->purpose == PROBES_LOOK);
}

// One probe is a piece.
static bool ask(struct question *question)
{
    struct message *message = (struct message *)question;
    if (!is_wanted(message) || message->n_asked == message->n_probes)
        return true;
    struct probe *probe = &message->probes[message->n_asked++];
    struct err err;
    enum status rc = answer_to(message->topic, probe, &err);
    probe->is_answered = rc == ST_OK;
    bool is_final = rc != ST_OK && rc != ST_RETRY;
    if (rc != ST_OK && (is_final || message->err.status == ST_OK)) {
        message->err = err;
        message->err.status = rc;
    }
    return is_final || (message->ends_when_seen && probe->is_seen) ||
           message->n_asked == message->n_probes;
}

static void answered(struct question *question)
{
    struct message *message = (struct message *)question;
    message->kind = TELL_TOPIC;
    bool sent = mailbox_try_push(message->back, message);
    assert(sent); // a mailbox holds all that can be under way
}

static void dropped(struct question *question)
{
    message_free((struct message *)question);
}

static const struct question_ops probes_ops = {
    .ask = ask,
    .answered = answered,
    .dropped = dropped,
};

void probes_ask(struct message *message, struct asker *asker, struct topic *topic,
                struct mail *mail, struct mailbox *back)
{
    message->question =
        (struct question){.ops = &probes_ops, .rank = (int)message->purpose};
    message->topic = topic;
    message->mail = mail;
    message->back = back;
    asker_ask(asker, &message->question);
}
