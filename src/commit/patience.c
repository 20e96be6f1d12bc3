// SPDX-License-Identifier: Apache-2.0
#include "commit/patience.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"

static struct patience *of(struct storage *storage)
{
    return (struct patience *)storage;
}

static int64_t now_ms(const struct patience *patience)
{
    return patience->parts.env->ops->monotonic_ms(patience->parts.env);
}

static int64_t wall_ms(const struct patience *patience)
{
    return patience->parts.env->ops->wall_ms(patience->parts.env);
}

static void set_waiting(struct patience *patience, bool is_waiting)
{
    struct engine_status *status = patience->parts.status;
    if (is_waiting == patience->is_waiting)
        return;
    atomic_fetch_add(&status->n_waiting, is_waiting ? 1 : -1);
    board_retrying(&status->board, is_waiting);
    patience->is_waiting = is_waiting;
}

static void reset(struct patience *patience)
{
    retry_reset(&patience->retry);
    set_waiting(patience, false);
}

// Once only seconds are left, there is a try at once.
static bool notice_deadline(struct patience *patience)
{
    if (patience->has_deadline || !deadline_is_set(patience->parts.deadline))
        return false;
    patience->has_deadline = true;
    retry_reset(&patience->retry);
    return true;
}

static bool is_out_of_time(const struct patience *patience)
{
    return deadline_is_over(patience->parts.deadline, now_ms(patience));
}

static bool may_retry(struct patience *patience, int64_t *ret_until_ms)
{
    if (is_out_of_time(patience) || patience->is_leisure)
        return false;
    if (patience->n_failures_left && --patience->n_failures_left == 0)
        return false;
    return retry_again(&patience->retry, patience->began_ms, now_ms(patience),
                       patience->parts.limit_ms, ret_until_ms);
}

static void pause_until(struct patience *patience, int64_t until_ms)
{
    while (!notice_deadline(patience)) {
        int64_t now = now_ms(patience);
        int64_t left_ms = deadline_left(patience->parts.deadline, now, until_ms - now);
        if (left_ms <= 0)
            return;
        patience->parts.waiter->wait(patience->parts.waiter,
                                     (struct wait){WAIT_TIME, now + left_ms});
    }
}

static enum status gave_up(const struct patience *patience, struct err *err)
{
    char text[ERR_TEXT_MAX];
    snprintf(text, sizeof(text), "%.1900s", err->text);
    if (is_out_of_time(patience))
        return err_set(err, ST_FAIL, "%s; no time was left to try again", text);
    return err_set(err, ST_FAIL, "%s; gave up after %" PRId64 " s (SET storage.retry)",
                   text, patience->parts.limit_ms / 1000);
}

bool patience_again(struct patience *patience, enum status *rc, struct err *err)
{
    int64_t until_ms;
    if (*rc != ST_RETRY && *rc != ST_UNKNOWN) {
        if (!patience->is_attempt)
            reset(patience);
        return false;
    }
    if (!may_retry(patience, &until_ms)) {
        *rc = gave_up(patience, err);
        reset(patience);
        return false;
    }
    if (patience->retry.delay_ms == RETRY_FIRST_MS)
        log_warn("%s; trying again", err->text);
    board_failure(&patience->parts.status->board, err->text, wall_ms(patience));
    board_retry(&patience->parts.status->board);
    set_waiting(patience, true);
    pause_until(patience, until_ms);
    return true;
}

void patience_attempt(struct patience *patience)
{
    patience->is_attempt = true;
}

void patience_attempt_times(struct patience *patience, int n)
{
    patience->n_failures_left = n;
}

void patience_attempt_end(struct patience *patience)
{
    patience->is_attempt = false;
    patience->n_failures_left = 0;
    reset(patience);
}

// The port.

static enum status begin(struct patience *patience)
{
    const struct patience_parts *parts = &patience->parts;
    if (patience->is_leisure && parts->is_called(parts->context))
        return ST_STOP;
    notice_deadline(patience);
    patience->began_ms = now_ms(patience);
    return ST_OK;
}

static enum status patient_write(struct storage *storage, struct str path,
                                 struct reader *reader, int64_t size_bytes,
                                 struct err *err)
{
    struct storage *inner = of(storage)->parts.storage;
    TRY(begin(of(storage)));
    return inner->ops->write(inner, path, reader, size_bytes, err);
}

static enum status patient_publish(struct storage *storage, struct str from,
                                   struct str to, struct err *err)
{
    struct storage *inner = of(storage)->parts.storage;
    TRY(begin(of(storage)));
    return inner->ops->publish(inner, from, to, err);
}

static enum status patient_create(struct storage *storage, struct str path,
                                  struct str temporary, struct str bytes, struct err *err)
{
    struct storage *inner = of(storage)->parts.storage;
    TRY(begin(of(storage)));
    return inner->ops->create_exclusive(inner, path, temporary, bytes, err);
}

static enum status patient_replace(struct storage *storage, struct str from,
                                   struct str to, struct err *err)
{
    struct storage *inner = of(storage)->parts.storage;
    enum status rc;
    do {
        TRY(begin(of(storage)));
        rc = inner->ops->replace(inner, from, to, err);
    } while (patience_again(of(storage), &rc, err));
    return rc;
}

static enum status patient_list(struct storage *storage, struct str path,
                                struct arena *arena, struct file_list *ret,
                                struct err *err)
{
    struct storage *inner = of(storage)->parts.storage;
    enum status rc;
    do {
        TRY(begin(of(storage)));
        rc = inner->ops->list(inner, path, arena, ret, err);
    } while (patience_again(of(storage), &rc, err));
    return rc;
}

static enum status patient_stat(struct storage *storage, struct str path,
                                struct file_info *ret, struct err *err)
{
    struct storage *inner = of(storage)->parts.storage;
    enum status rc;
    do {
        TRY(begin(of(storage)));
        rc = inner->ops->stat(inner, path, ret, err);
    } while (patience_again(of(storage), &rc, err));
    return rc;
}

static enum status patient_checksum(struct storage *storage, struct str path,
                                    struct checksum *ret, struct err *err)
{
    struct storage *inner = of(storage)->parts.storage;
    enum status rc;
    do {
        TRY(begin(of(storage)));
        rc = inner->ops->checksum(inner, path, ret, err);
    } while (patience_again(of(storage), &rc, err));
    return rc;
}

static enum status patient_mkdir(struct storage *storage, struct str path,
                                 struct err *err)
{
    struct storage *inner = of(storage)->parts.storage;
    enum status rc;
    do {
        TRY(begin(of(storage)));
        rc = inner->ops->mkdir(inner, path, err);
    } while (patience_again(of(storage), &rc, err));
    return rc;
}

// What a failed try brought is not kept.
static enum status patient_read(struct storage *storage, struct str path, int64_t offset,
                                size_t size_bytes, struct buf *ret, struct err *err)
{
    struct storage *inner = of(storage)->parts.storage;
    size_t before = ret->n;
    enum status rc;
    do {
        TRY(begin(of(storage)));
        ret->n = before;
        rc = inner->ops->read(inner, path, offset, size_bytes, ret, err);
    } while (patience_again(of(storage), &rc, err));
    return rc;
}

static enum status patient_remove(struct storage *storage, struct str path,
                                  struct err *err)
{
    struct storage *inner = of(storage)->parts.storage;
    enum status rc;
    do {
        TRY(begin(of(storage)));
        rc = inner->ops->remove(inner, path, err);
    } while (patience_again(of(storage), &rc, err));
    return rc;
}

static void patient_close(struct storage *storage)
{
    (void)storage; // borrowed, as what is below it
}

static const struct storage_ops patient_ops = {
    .write = patient_write,
    .publish = patient_publish,
    .create_exclusive = patient_create,
    .replace = patient_replace,
    .list = patient_list,
    .stat = patient_stat,
    .checksum = patient_checksum,
    .mkdir = patient_mkdir,
    .read = patient_read,
    .remove = patient_remove,
    .close = patient_close,
};

void patience_init(struct patience *patience, const struct patience_parts *parts)
{
    *patience = (struct patience){.storage = *parts->storage, .parts = *parts};
    patience->storage.ops = &patient_ops; // its promises and its name are the inner one's
    parts->storage->deadline = parts->deadline;
}
