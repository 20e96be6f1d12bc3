// SPDX-License-Identifier: Apache-2.0
#include "work/lane.h"

#include <assert.h>
#include <stdlib.h>

#include "work/message.h"
#include "work/upload.h"

enum {
    IDLE_MS = 60000
};

struct lane {
    struct lane_parts parts;
    struct patience patience;
};

struct lane *lane_open(const struct lane_parts *parts)
{
    struct lane *lane = mem_zalloc(sizeof(*lane));
    lane->parts = *parts;
    patience_init(&lane->patience, &(struct patience_parts){
                                       .storage = parts->storage,
                                       .env = parts->env,
                                       .waiter = parts->waiter,
                                       .deadline = &parts->mail->deadline,
                                       .status = parts->status,
                                       .limit_ms = parts->job->settings.storage_retry_ms,
                                   });
    return lane;
}

void lane_free(struct lane *lane)
{
    if (lane == NULL)
        return;
    lane->parts.storage->deadline = NULL;
    free(lane);
}

static enum status write_entry(struct lane *lane, const struct message *errand,
                               struct err *err)
{
    struct storage *storage = lane->parts.storage;
    TRY(storage_write_bytes(storage, path_str(&errand->path), errand->bytes, err));
    return entry_check_written(storage, &errand->path, errand->bytes, err);
}

static enum status run_errand(struct lane *lane, struct message *errand, struct err *err)
{
    struct storage *storage = lane->parts.storage;
    switch (errand->kind) {
    case ASK_FILE:
        return upload_file(&lane->patience, lane->parts.job, errand->of_draft,
                           errand->file, &errand->path, err);
    case ASK_ENTRY:
        return write_entry(lane, errand, err);
    default:
        return storage->ops->remove(storage, path_str(&errand->path), err);
    }
}

static struct message *next_errand(struct lane *lane)
{
    struct mailbox *box = &lane->parts.mail->to_lanes[lane->parts.number];
    struct waiter *waiter = lane->parts.waiter;
    struct env *env = lane->parts.env;
    struct message *errand;
    while ((errand = mailbox_try_pop(box)) == NULL)
        waiter->wait(waiter,
                     (struct wait){WAIT_MAIL, env->ops->monotonic_ms(env) + IDLE_MS});
    return errand;
}

void lane_run(struct lane *lane)
{
    for (;;) {
        struct message *errand = next_errand(lane);
        if (errand->kind == ASK_END) {
            message_free(errand);
            return;
        }
        enum status rc = run_errand(lane, errand, &errand->err);
        errand->err.status = rc;
        bool sent = mailbox_try_push(&lane->parts.mail->to_uploader, errand);
        assert(sent); // a mailbox holds all that can be under way
    }
}
