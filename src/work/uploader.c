// SPDX-License-Identifier: Apache-2.0
#include "work/uploader.h"

#include <assert.h>
#include <stdlib.h>

#include "work/chain.h"
#include "work/upload.h"

enum {
    IDLE_MS = 60000
};

struct uploader {
    struct uploader_parts parts;
    struct patience patience;
    struct chain chain; // with lanes
    bool is_ending;
    enum status result;
    struct err result_err;
};

struct uploader *uploader_open(const struct uploader_parts *parts)
{
    struct uploader *uploader = mem_zalloc(sizeof(*uploader));
    uploader->parts = *parts;
    patience_init(&uploader->patience,
                  &(struct patience_parts){
                      .storage = parts->storage,
                      .env = parts->env,
                      .waiter = parts->waiter,
                      .deadline = &parts->mail->deadline,
                      .status = parts->status,
                      .limit_ms = parts->job->settings.storage_retry_ms,
                  });
    uploader->chain = (struct chain){
        .job = parts->job,
        .renames = parts->storage->renames,
        .env = parts->env,
        .mail = parts->mail,
        .status = parts->status,
    };
    return uploader;
}

void uploader_free(struct uploader *uploader)
{
    if (uploader == NULL)
        return;
    uploader->parts.storage->deadline = NULL;
    chain_release(&uploader->chain);
    free(uploader);
}

enum status uploader_result(const struct uploader *uploader, struct err *ret)
{
    *ret = uploader->result_err;
    return uploader->result;
}

static void send(struct mailbox *box, struct message *message)
{
    bool sent = mailbox_try_push(box, message);
    assert(sent); // a mailbox holds all that can be under way
}

static int64_t clock_ms(const struct uploader *uploader)
{
    return uploader->parts.env->ops->monotonic_ms(uploader->parts.env);
}

static enum status upload(struct uploader *uploader, struct message *message,
                          struct err *err)
{
    const struct uploader_parts *parts = &uploader->parts;
    if (message->generation <= atomic_load(&parts->mail->lost_generation))
        return ST_OK;
    int64_t began_ms = clock_ms(uploader);
    TRY(upload_draft(&uploader->patience, parts->job, message->draft, err));
    board_commit_phase(&parts->status->board, COMMIT_UPLOAD,
                       clock_ms(uploader) - began_ms);
    return ST_OK;
}

static void fail(struct uploader *uploader, enum status rc, const struct err *err)
{
    struct env *env = uploader->parts.env;
    struct board *board = &uploader->parts.status->board;
    board_commit(board, COMMIT_FAILED, env->ops->wall_ms(env), 0);
    board_failure(board, err->text, env->ops->wall_ms(env));
    struct message *message = message_new(TELL_FAILED, 0);
    message->err = *err;
    message->err.status = rc;
    uploader->result = rc;
    uploader->result_err = message->err;
    send(&uploader->parts.mail->to_worker, message);
}

// On to the committer, unless there was an error: then only the end.
static void hand_on(struct uploader *uploader, struct message *message, enum status rc,
                    const struct err *err)
{
    uploader->is_ending = message->kind == ASK_END;
    if (rc != ST_OK && uploader->result == ST_OK)
        fail(uploader, rc, err);
    if (uploader->result == ST_OK || uploader->is_ending)
        send(&uploader->parts.mail->to_committer, message);
    else
        message_free(message);
}

static void take(struct uploader *uploader, struct message *message)
{
    struct err err = {0};
    enum status rc = ST_OK;
    if (message->kind == ASK_UNIT && uploader->result == ST_OK)
        rc = upload(uploader, message, &err);
    hand_on(uploader, message, rc, &err);
}

static bool is_of_worker(const struct message *message)
{
    return message->kind == ASK_UNIT || message->kind == ASK_STATE ||
           message->kind == ASK_CLAIM || message->kind == ASK_END;
}

static void take_to_chain(struct uploader *uploader, struct message *message)
{
    struct chain *chain = &uploader->chain;
    struct err err;
    if (is_of_worker(message))
        chain_add(chain, message);
    else
        chain_answer(chain, message);
    while (!uploader->is_ending && (message = chain_next(chain, &err)) != NULL) {
        hand_on(uploader, message, err.status, &err);
        chain->is_ending |= uploader->result != ST_OK;
    }
    if (uploader->is_ending)
        chain_end_lanes(chain);
}

void uploader_run(struct uploader *uploader)
{
    struct mail *mail = uploader->parts.mail;
    struct waiter *waiter = uploader->parts.waiter;
    struct env *env = uploader->parts.env;
    struct message *message;
    while (!uploader->is_ending) {
        while ((message = mailbox_try_pop(&mail->to_uploader)) == NULL)
            waiter->wait(waiter,
                         (struct wait){WAIT_MAIL, env->ops->monotonic_ms(env) + IDLE_MS});
        if (mail->n_lanes > 0)
            take_to_chain(uploader, message);
        else
            take(uploader, message);
    }
}
