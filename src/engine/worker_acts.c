// SPDX-License-Identifier: Apache-2.0
#include <assert.h>

#include "base/log.h"
#include "engine/worker_inside.h"

void worker_send(struct worker *worker, struct message *message)
{
    bool sent = mailbox_try_push(&worker->parts.mail->to_committer, message);
    assert(sent); // a mailbox holds all that can be under way
}

void worker_set_waiting(struct worker *worker, bool is_waiting)
{
    if (is_waiting != worker->is_waiting)
        atomic_fetch_add(&worker->parts.status->n_waiting, is_waiting ? 1 : -1);
    worker->is_waiting = is_waiting;
}

void worker_drop_work(struct worker *worker)
{
    intake_drop(&worker->intake);
    lag_reset(&worker->lag, 0, worker->parts.status);
    held_clear(&worker->held);
    worker->restart_is_due = false;
    worker->generation++;
}

void worker_let_go(struct worker *worker)
{
    worker_drop_work(worker);
    assignment_end(&worker->assignment);
    worker->stop_is_due = true;
    worker->phase = WORKER_IDLE;
}

void worker_end(struct worker *worker, const struct err *err)
{
    struct source *source = worker->parts.source;
    struct err ignored; // it reads nothing that would be used
    worker->result = err->status;
    worker->result_err = *err;
    worker_drop_work(worker);
    if (source->ops->stop(source, &ignored) != ST_OK)
        log_debug("%s", ignored.text);
    worker->phase = WORKER_DONE;
}

void worker_begin_stop(struct worker *worker)
{
    if (worker->phase != WORKER_RETURN)
        worker->deadline_ms =
            worker_clock_ms(worker) + worker_settings(worker)->revoke_ms;
    worker->phase = WORKER_STOP;
}
