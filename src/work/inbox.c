// SPDX-License-Identifier: Apache-2.0
#include "work/inbox.h"

#include <assert.h>

static void keep(struct inbox *inbox, struct message *message)
{
    assert(inbox->n_kept < MAIL_CAPACITY);
    inbox->has_end |= message->kind == ASK_END;
    inbox->kept[inbox->n_kept++] = message;
}

struct message *inbox_answer(struct inbox *inbox)
{
    struct message *message;
    while ((message = mailbox_try_pop(&inbox->mail->to_committer)) != NULL) {
        if (message->kind == TELL_TOPIC) {
            inbox->is_asked = false;
            return message;
        }
        keep(inbox, message);
    }
    return NULL;
}

static struct message *take_kept(struct inbox *inbox)
{
    struct message *message = inbox->kept[0];
    inbox->n_kept--;
    for (size_t i = 0; i < inbox->n_kept; i++)
        inbox->kept[i] = inbox->kept[i + 1];
    return message;
}

struct message *inbox_take(struct inbox *inbox)
{
    struct message *late;
    if (inbox->n_kept == 0 && (late = inbox_answer(inbox)) != NULL)
        message_free(late); // nobody waits for it any more
    return inbox->n_kept > 0 ? take_kept(inbox) : NULL;
}

void inbox_wait(struct inbox *inbox, int64_t until_ms)
{
    inbox->waiter->wait(inbox->waiter, (struct wait){WAIT_MAIL, until_ms});
}

void inbox_tell(struct inbox *inbox, struct message *message)
{
    bool sent = mailbox_try_push(&inbox->mail->to_worker, message);
    assert(sent); // a mailbox holds all that can be under way
}

void inbox_release(struct inbox *inbox)
{
    while (inbox->n_kept > 0)
        message_free(take_kept(inbox));
}
