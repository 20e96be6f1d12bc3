// SPDX-License-Identifier: Apache-2.0
#include "work/commit_service.h"

#include <assert.h>
#include <stdlib.h>

#include "commit/committer.h"
#include "work/look.h"

enum {
    IDLE_MS = 60000
};

struct commit_service {
    struct commit_service_parts parts;
    struct committer *committer;
    struct inbox inbox;
    struct look look;
    int64_t generation; // of the claim
    bool is_ending;
    enum status result;
    struct err result_err;
};

static bool has_mail(void *context)
{
    const struct commit_service *service = context;
    return !service->is_ending && !mailbox_is_empty(&service->parts.mail->to_committer);
}

struct commit_service *commit_service_open(const struct commit_service_parts *parts)
{
    struct commit_service *service = mem_zalloc(sizeof(*service));
    service->parts = *parts;
    service->committer = committer_open(&(struct committer_parts){
        .job = parts->job,
        .storage = parts->storage,
        .env = parts->env,
        .waiter = parts->waiter,
        .deadline = &parts->mail->deadline,
        .status = parts->status,
        .prepared = parts->prepared,
        .is_called = has_mail,
        .context = service,
    });
    service->inbox =
        (struct inbox){.mail = parts->mail, .env = parts->env, .waiter = parts->waiter};
    service->look = (struct look){
        .inbox = &service->inbox,
        .committer = service->committer,
        .topic = parts->topic,
        .asker = parts->asker,
        .status = parts->status,
    };
    return service;
}

void commit_service_free(struct commit_service *service)
{
    if (service == NULL)
        return;
    committer_free(service->committer);
    inbox_release(&service->inbox);
    free(service);
}

enum status commit_service_result(const struct commit_service *service, struct err *ret)
{
    *ret = service->result_err;
    return service->result;
}

static void send(struct commit_service *service, struct message *message)
{
    bool sent = mailbox_try_push(&service->parts.mail->to_worker, message);
    assert(sent); // a mailbox holds all that can be under way
}

// Answers with where the log stands.
static void answer(struct commit_service *service, const struct message *message,
                   enum message_kind kind, const struct err *err)
{
    const struct log_state *state = committer_state(service->committer);
    struct message *reply = message_new(kind, message->generation);
    reply->is_of_unit = message->kind == ASK_UNIT;
    reply->hand = message->hand;
    reply->err = *err;
    reply->next_entry = state->next;
    reply->progress = log_state_progress(state, &reply->arena);
    reply->n_progress = state->n_partitions;
    memcpy(reply->topic_id, state->topic_id, TOPIC_ID_TEXT);
    if (kind == TELL_CLAIMED)
        reply->writer =
            arena_str(&reply->arena, str_of(committer_writer(service->committer)));
    atomic_store(&service->parts.status->last_entry, state->next - 1);
    send(service, reply);
}

static enum status claim(struct commit_service *service, const struct message *message,
                         struct err *err)
{
    service->generation = message->generation;
    return committer_claim(service->committer,
                           &(struct claim){
                               .starts = message->starts,
                               .n_starts = message->n_starts,
                               .origins = message->origins,
                               .n_origins = message->n_origins,
                               .base = message->next_entry,
                           },
                           err);
}

// Steps 2 to 6 of "Publish entry N", once the topic was looked at. TELL_DROPPED with an
// error: there was no time for that.
static enum status commit(struct commit_service *service, const struct message *message,
                          enum message_kind *ret, struct err *err)
{
    struct committer *committer = service->committer;
    const struct unit *unit = &message->draft->unit;
    enum look_outcome outcome = LOOK_UNWANTED;
    *ret = TELL_DROPPED;
    if (committer_has_claim(committer) &&
        str_is(unit->writer, committer_writer(committer)))
        TRY(look_at_topic(&service->look, unit, service->generation, &outcome, err));
    if (outcome != LOOK_SAME) {
        committer_drop(committer, unit, message->prepared);
        return ST_OK;
    }
    *err = (struct err){0};
    *ret = TELL_COMMITTED;
    return committer_commit(committer, unit, message->prepared, err);
}

static enum status do_asked(struct commit_service *service, const struct message *message,
                            enum message_kind *ret, struct err *err)
{
    switch (message->kind) {
    case ASK_STATE:
        *ret = TELL_STATE;
        return committer_recover(service->committer, err);
    case ASK_CLAIM:
        *ret = TELL_CLAIMED;
        return claim(service, message, err);
    default:
        return commit(service, message, ret, err);
    }
}

// What was handed on is done. Where the log now is only as it was foretold, it is not
// told.
static void tell_uploader(struct commit_service *service, const struct message *asked)
{
    const struct log_state *state = committer_state(service->committer);
    struct mail *mail = service->parts.mail;
    if (mail->n_lanes == 0)
        return;
    struct message *message = message_new(TELL_DONE, asked->generation);
    if (!prepared_is_last(asked->prepared, state)) {
        message->log = mem_zalloc(sizeof(*message->log));
        log_state_copy(state, message->log);
    }
    bool sent = mailbox_try_push(&mail->to_uploader, message);
    assert(sent);
}

static void show_failure(struct commit_service *service, const struct message *message,
                         enum commit_result result, const char *why)
{
    struct board *board = &service->parts.status->board;
    struct env *env = service->parts.env;
    int64_t wall_ms = env->ops->wall_ms(env);
    if (message->kind == ASK_UNIT)
        board_commit(board, result, wall_ms, 0);
    if (result == COMMIT_FAILED)
        board_failure(board, why, wall_ms);
}

static void take(struct commit_service *service, const struct message *message)
{
    struct err err = {0};
    enum message_kind kind;
    if (message->kind == ASK_END) {
        service->is_ending = true;
        return;
    }
    enum status rc = do_asked(service, message, &kind, &err);
    if (rc == ST_CONFLICT)
        atomic_store(&service->parts.mail->lost_generation, message->generation);
    if (rc == ST_OK || rc == ST_CONFLICT)
        tell_uploader(service, message);
    if (rc == ST_OK) {
        answer(service, message, kind, &err);
    } else if (rc == ST_CONFLICT) {
        atomic_fetch_add(&service->parts.status->n_conflicts, 1);
        show_failure(service, message, COMMIT_CONFLICT, "");
        answer(service, message, TELL_CONFLICT, &(struct err){0});
    } else {
        struct message *reply = message_new(TELL_FAILED, 0);
        reply->err = err;
        reply->err.status = rc;
        show_failure(service, message, COMMIT_FAILED, err.text);
        service->result = rc;
        service->result_err = reply->err;
        send(service, reply);
    }
}

// Mail goes first.
static struct message *next_message(struct commit_service *service)
{
    struct env *env = service->parts.env;
    struct message *message;
    while ((message = inbox_take(&service->inbox)) == NULL)
        if (!committer_tidy(service->committer))
            inbox_wait(&service->inbox, env->ops->monotonic_ms(env) + IDLE_MS);
    return message;
}

void commit_service_run(struct commit_service *service)
{
    while (service->result == ST_OK && !service->is_ending) {
        struct message *message = next_message(service);
        take(service, message);
        message_free(message);
    }
    while (service->result == ST_OK && committer_tidy_last(service->committer))
        continue;
    committer_drop_prepared(service->committer);
}
