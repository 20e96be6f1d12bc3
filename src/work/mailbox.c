// SPDX-License-Identifier: Apache-2.0
#include "work/mailbox.h"

#include <assert.h>

#include "base/queue.h"
#include "work/message.h"

// A unit's file and its entry at once. With one ahead the uploader uploads.
int mail_lanes(int ahead)
{
    return ahead > 1 ? 2 * ahead : 0;
}

void mail_init(struct mail *mail, int ahead)
{
    assert(ahead >= 1 && ahead <= MAIL_AHEAD_MAX);
    mail->ahead = ahead;
    mail->n_lanes = mail_lanes(ahead);
    for (int i = 0; i < mail->n_lanes; i++)
        mail->to_lanes[i].queue = queue_open(MAIL_CAPACITY);
    deadline_set(&mail->deadline, 0);
    atomic_init(&mail->generation, 0);
    atomic_init(&mail->only_looks, false);
    atomic_init(&mail->lost_generation, -1);
    mail->to_uploader.queue = queue_open(MAIL_ERRANDS);
    mail->to_committer.queue = queue_open(MAIL_CAPACITY);
    mail->to_worker.queue = queue_open(MAIL_HANDS);
}

static void box_release(struct mailbox *box)
{
    for (struct message *message; box->queue && (message = mailbox_try_pop(box));)
        message_free(message);
    queue_free(box->queue);
    box->queue = NULL;
}

void mail_release(struct mail *mail)
{
    box_release(&mail->to_uploader);
    box_release(&mail->to_committer);
    box_release(&mail->to_worker);
    for (int i = 0; i < mail->n_lanes; i++)
        box_release(&mail->to_lanes[i]);
}

void mail_wake(struct mail *mail)
{
    mailbox_wake(&mail->to_uploader);
    mailbox_wake(&mail->to_committer);
    for (int i = 0; i < mail->n_lanes; i++)
        mailbox_wake(&mail->to_lanes[i]);
}

bool mailbox_try_push(struct mailbox *box, struct message *message)
{
    return queue_try_push(box->queue, message);
}

struct message *mailbox_try_pop(struct mailbox *box)
{
    return queue_try_pop(box->queue);
}

bool mailbox_is_empty(const struct mailbox *box)
{
    return queue_count(box->queue) == 0;
}

void mailbox_wake(struct mailbox *box)
{
    queue_wake(box->queue);
}

void mailbox_wait(struct mailbox *box, struct wait wait, struct env *env)
{
    if (wait.kind != WAIT_MAIL && wait.kind != WAIT_TIME)
        return;
    int64_t left_ms = wait.until_ms - env->ops->monotonic_ms(env);
    if (left_ms <= 0)
        return;
    if (wait.kind == WAIT_TIME)
        queue_sleep(box->queue, left_ms);
    else
        queue_wait(box->queue, left_ms);
}

static void wait_for_mail(struct waiter *waiter, struct wait wait)
{
    struct mailbox_waiter *self = (struct mailbox_waiter *)waiter;
    mailbox_wait(self->box, wait, self->env);
}

struct mailbox_waiter mailbox_waiter(struct mailbox *box, struct env *env)
{
    return (struct mailbox_waiter){{wait_for_mail}, box, env};
}
