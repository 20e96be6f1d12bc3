// SPDX-License-Identifier: Apache-2.0
#include "work/prober.h"

#include <assert.h>
#include <stdlib.h>

#include "work/message.h"
#include "work/topic_check.h"

enum {
    IDLE_MS = 60000
};

struct prober {
    struct prober_parts parts;
    struct message *messages[PROBES_N]; // being worked on, or NULL
    size_t n_done[PROBES_N];            // of each one's probes
    bool is_ending;
};

struct prober *prober_open(const struct prober_parts *parts)
{
    struct prober *prober = mem_zalloc(sizeof(*prober));
    prober->parts = *parts;
    return prober;
}

static void drop_messages(struct prober *prober)
{
    for (size_t i = 0; i < PROBES_N; i++) {
        message_free(prober->messages[i]);
        prober->messages[i] = NULL;
    }
}

void prober_free(struct prober *prober)
{
    if (prober == NULL)
        return;
    drop_messages(prober);
    free(prober);
}

static void fetch_mail(struct prober *prober)
{
    struct message *message;
    while ((message = mailbox_try_pop(&prober->parts.mail->to_prober)) != NULL) {
        if (message->kind == ASK_END) {
            prober->is_ending = true;
            message_free(message);
            continue;
        }
        assert(prober->messages[message->purpose] == NULL);
        prober->messages[message->purpose] = message;
        prober->n_done[message->purpose] = 0;
    }
}

static void answer(struct prober *prober, enum probe_purpose purpose)
{
    struct message *message = prober->messages[purpose];
    prober->messages[purpose] = NULL;
    message->kind = TELL_TOPIC;
    bool sent = mailbox_try_push(&prober->parts.mail->to_worker, message);
    assert(sent); // a mailbox holds all that can be under way
}

static enum status ask(struct source *source, struct probe *probe, struct err *err)
{
    switch (probe->kind) {
    case PROBE_COUNT:
        return source->ops->count(source, &probe->count, err);
    case PROBE_RANGE:
        return source->ops->range(source, probe->partition, &probe->range, err);
    case PROBE_TIME:
        return source->ops->offset_at(source, probe->partition, probe->time_ms,
                                      &probe->offset, err);
    case PROBE_CHECK:
        return topic_check(source, probe, err);
    }
    return ST_OK;
}

// One question of the message; true: it can be answered.
static bool work_on(struct prober *prober, enum probe_purpose purpose)
{
    struct message *message = prober->messages[purpose];
    const struct mail *mail = prober->parts.mail;
    if (message->generation != atomic_load(&mail->generation) ||
        (atomic_load(&mail->only_looks) && purpose != PROBES_LOOK) ||
        prober->n_done[purpose] == message->n_probes)
        return true;
    struct probe *probe = &message->probes[prober->n_done[purpose]++];
    struct err err;
    enum status rc = ask(prober->parts.source, probe, &err);
    probe->is_answered = rc == ST_OK;
    bool is_final = rc != ST_OK && rc != ST_RETRY;
    if (rc != ST_OK && (is_final || message->err.status == ST_OK)) {
        message->err = err;
        message->err.status = rc;
    }
    return is_final || (message->ends_when_seen && probe->is_seen) ||
           prober->n_done[purpose] == message->n_probes;
}

struct wait prober_step(struct prober *prober)
{
    fetch_mail(prober);
    if (prober->is_ending) {
        drop_messages(prober);
        return (struct wait){WAIT_DONE, 0};
    }
    for (enum probe_purpose i = 0; i < PROBES_N; i++) {
        if (prober->messages[i] == NULL)
            continue;
        if (work_on(prober, i))
            answer(prober, i);
        return (struct wait){WAIT_NOTHING, 0};
    }
    struct env *env = prober->parts.env;
    return (struct wait){WAIT_MAIL, env->ops->monotonic_ms(env) + IDLE_MS};
}
