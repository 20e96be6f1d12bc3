// SPDX-License-Identifier: Apache-2.0
#include "work/uploader.h"

#include <assert.h>
#include <stdlib.h>

#include "work/message.h"
#include "work/upload.h"

enum {
    IDLE_MS = 60000
};

struct uploader {
    struct uploader_parts parts;
    struct patience patience;
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
    return uploader;
}

void uploader_free(struct uploader *uploader)
{
    if (uploader == NULL)
        return;
    uploader->parts.storage->deadline = NULL;
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
static void hand_on(struct uploader *uploader, struct message *message)
{
    struct err err = {0};
    uploader->is_ending = message->kind == ASK_END;
    if (message->kind == ASK_UNIT && uploader->result == ST_OK) {
        enum status rc = upload(uploader, message, &err);
        if (rc != ST_OK)
            fail(uploader, rc, &err);
    }
    if (uploader->result == ST_OK || uploader->is_ending)
        send(&uploader->parts.mail->to_committer, message);
    else
        message_free(message);
}

void uploader_run(struct uploader *uploader)
{
    struct waiter *waiter = uploader->parts.waiter;
    struct env *env = uploader->parts.env;
    struct message *message;
    while (!uploader->is_ending) {
        while ((message = mailbox_try_pop(&uploader->parts.mail->to_uploader)) == NULL)
            waiter->wait(waiter,
                         (struct wait){WAIT_MAIL, env->ops->monotonic_ms(env) + IDLE_MS});
        hand_on(uploader, message);
    }
}
