// SPDX-License-Identifier: Apache-2.0
#include <assert.h>

#include "base/log.h"
#include "work/worker_inside.h"

void worker_send(struct worker *worker, struct message *message)
{
    bool sent = mailbox_try_push(&worker->parts.mail->to_uploader, message);
    assert(sent); // a mailbox holds all that can be under way
}

void worker_ask(struct worker *worker, struct message *message)
{
    if (worker->is_asked[message->purpose]) {
        message_free(message);
        return;
    }
    worker->is_asked[message->purpose] = true;
    struct mail *mail = worker->parts.mail;
    probes_ask(message, worker->parts.asker, worker->parts.topic, mail, &mail->to_worker);
}

int64_t worker_pause(struct worker *worker, enum timer timer, const char *why)
{
    int64_t until_ms =
        pacer_again(&worker->reading.pacer, timer, worker_clock_ms(worker));
    if (pacer_is_first(&worker->reading.pacer, timer))
        log_warn("%s; waiting", why);
    goal_waits(&worker->goal, why);
    reading_show_waiting(&worker->reading, why);
    reading_set_waiting(&worker->reading, true);
    return until_ms;
}

void worker_drop_work(struct worker *worker)
{
    unit_builder_drop(&worker->reading.builder);
    lag_reset(&worker->lag, NULL, 0);
    held_clear(&worker->reading.held);
    atomic_store(&worker->parts.mail->generation, membership_forget(&worker->membership));
    worker_hands_drop(worker);
}

void worker_let_go(struct worker *worker)
{
    worker_drop_work(worker);
    membership_let_go(&worker->membership);
    pacer_set(&worker->reading.pacer, TIMER_IDLE,
              worker_clock_ms(worker) + IDLE_SILENT_MS);
    worker->phase = WORKER_IDLE;
}

// What came before the failure, and is on its way, is not tried for storage.retry.
static void hurry_mail(struct worker *worker)
{
    struct mail *mail = worker->parts.mail;
    int64_t now_ms = worker_clock_ms(worker);
    deadline_set(&mail->deadline,
                 now_ms + deadline_left(&mail->deadline, now_ms, FAILED_MS));
    mail_wake(mail);
}

void worker_end(struct worker *worker, const struct err *err)
{
    struct stream *stream = worker->parts.stream;
    struct err ignored; // it reads nothing that would be used
    worker->result = err->status;
    worker->result_err = *err;
    worker_drop_work(worker);
    if (err->status != ST_OK)
        hurry_mail(worker);
    deadline_end(&worker->deadline); // of what is still asked
    if (stream->ops->stop(stream, &ignored) != ST_OK)
        log_debug("%s", ignored.text);
    asker_end(worker->parts.asker);
    worker_hands_end(worker);
    worker_send(worker, message_new(ASK_END, worker->membership.generation));
    worker->phase = WORKER_DONE;
}

void worker_begin_stop(struct worker *worker)
{
    deadline_set(&worker->deadline, atomic_load(&worker->stop_at_ms));
    if (worker->phase == WORKER_STOP)
        return;
    atomic_store(&worker->parts.mail->only_looks, true);
    pacer_went_well(&worker->reading.pacer, TIMER_READ);
    worker->phase = WORKER_STOP;
}
