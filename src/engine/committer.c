// SPDX-License-Identifier: Apache-2.0
#include "engine/committer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "engine/abandon.h"
#include "engine/claim.h"
#include "engine/clean.h"
#include "engine/commit_log.h"
#include "engine/message.h"
#include "engine/publish.h"
#include "engine/retry.h"
#include "engine/upload.h"

// A question: RECOVER, SETTLE. A claim: CLAIM. A unit: UPLOAD, COMMIT, RENAME. Work that
// cannot go on: ABANDON. Without mail, what is left over: TIDY, CLEAN, RETAIN.
enum phase {
    PHASE_IDLE,
    PHASE_RECOVER,
    PHASE_SETTLE,
    PHASE_CLAIM,
    PHASE_UPLOAD,
    PHASE_COMMIT,
    PHASE_ABANDON,
    PHASE_RENAME,
    PHASE_TIDY, // renames of others before a snapshot, so that its pending list is short
    PHASE_CLEAN,
    PHASE_RETAIN,
    PHASE_ENDED,
};

enum {
    ABANDON_TRIES_MAX = 5,
    LOST_MAX = 3,
    IDLE_MS = 60000
};

struct committer {
    struct committer_parts parts;
    enum phase phase;
    struct message *message; // being worked on
    struct log_state state;
    char writer[UUID_TEXT]; // of the claim made last
    bool is_claimed;        // the claim holds as far as we know
    int64_t generation;     // of the claim
    struct recovery recovery;
    struct settle settle;
    struct publish publish;
    struct claim claim;
    struct abandon abandon;
    int n_abandon_tries;
    int n_lost;
    struct upload upload;
    struct renames renames;
    struct clean clean;
    struct retain retain;
    bool tidy_is_due, clean_is_due, retain_is_due;
    bool is_ending; // after what is to be cleaned
    struct retry retry;
    int64_t pause_until_ms; // before the next try
    bool has_deadline;      // as of the last look
    bool is_same_try; // the step that went well is no progress: the pauses go on rising
    bool is_waiting;
    enum status why; // the work is abandoned: ST_CONFLICT, or the failure below
    struct err err;
    enum status result;
    struct err result_err;
};

struct committer *committer_open(const struct committer_parts *parts)
{
    struct committer *com = mem_zalloc(sizeof(*com));
    com->parts = *parts;
    com->publish.storage = parts->storage;
    com->publish.env = parts->env;
    com->publish.job = parts->job;
    com->publish.state = &com->state;
    com->publish.writer = com->writer;
    parts->storage->deadline = &parts->mail->deadline;
    return com;
}

void committer_free(struct committer *com)
{
    if (com == NULL)
        return;
    com->parts.storage->deadline = NULL;
    message_free(com->message);
    log_state_release(&com->state);
    claim_release(&com->claim);
    recovery_release(&com->recovery);
    settle_release(&com->settle);
    publish_release(&com->publish);
    clean_release(&com->clean);
    free(com);
}

enum status committer_result(const struct committer *com, struct err *ret)
{
    *ret = com->result_err;
    return com->result;
}

static int64_t now_ms(const struct committer *com)
{
    return com->parts.env->ops->monotonic_ms(com->parts.env);
}

static int64_t wall_ms(const struct committer *com)
{
    return com->parts.env->ops->wall_ms(com->parts.env);
}

static void set_waiting(struct committer *com, bool is_waiting)
{
    if (is_waiting != com->is_waiting)
        atomic_fetch_add(&com->parts.status->n_waiting, is_waiting ? 1 : -1);
    com->is_waiting = is_waiting;
}

static void send(struct committer *com, struct message *message)
{
    bool sent = mailbox_try_push(&com->parts.mail->to_worker, message);
    assert(sent); // a mailbox holds all that can be under way
}

// Answers the message being worked on, with where the log stands.
static void answer(struct committer *com, enum message_kind kind)
{
    struct message *reply = message_new(kind, com->message->generation);
    reply->is_of_unit = com->message->kind == ASK_UNIT;
    reply->next_entry = com->state.next;
    reply->progress = log_state_progress(&com->state, &reply->arena);
    reply->n_progress = com->state.n_partitions;
    atomic_store(&com->parts.status->last_entry, com->state.next - 1);
    send(com, reply);
    message_free(com->message);
    com->message = NULL;
    com->phase = PHASE_IDLE;
}

static void fail(struct committer *com, const struct err *err)
{
    struct message *reply = message_new(TELL_FAILED, 0);
    reply->err = *err;
    com->result = err->status;
    com->result_err = *err;
    com->phase = PHASE_ENDED;
    send(com, reply);
}

// A question.

static enum status start_state(struct committer *com, struct err *err)
{
    struct storage *storage = com->parts.storage;
    if (!storage->exclusive)
        return err_set(err, ST_USAGE,
                       "%s: this storage cannot rename without overwriting, so results "
                       "there could not be kept free of duplicates",
                       storage->url);
    recovery_start(&com->recovery, storage, &com->state);
    com->settle.number = 0;
    com->phase = PHASE_RECOVER;
    return ST_OK;
}

static enum status step_recover(struct committer *com, struct err *err)
{
    bool done;
    TRY(recovery_step(&com->recovery, &done, err));
    if (!done)
        return ST_OK;
    recovery_release(&com->recovery);
    TRY(log_state_check_job(&com->state, com->parts.job, com->parts.storage->url, err));
    log_debug("the log is read; the next entry is %" PRId64, com->state.next);
    com->phase = PHASE_SETTLE;
    return ST_OK;
}

static enum status step_settle(struct committer *com, struct err *err)
{
    bool done;
    TRY(settle_step(&com->settle, com->parts.storage, &com->state, &done, err));
    if (!done)
        return ST_OK;
    answer(com, TELL_STATE);
    return ST_OK;
}

// A claim.

static void start_claim(struct committer *com)
{
    env_uuid(com->parts.env, com->writer);
    com->is_claimed = false;
    com->n_lost = 0;
    com->generation = com->message->generation;
    com->phase = PHASE_CLAIM;
    claim_start(&com->claim, &com->publish, com->message);
}

static void abandon_begin(struct committer *com, enum status why)
{
    com->why = why;
    com->n_abandon_tries = 0;
    abandon_start(&com->abandon);
    com->phase = PHASE_ABANDON;
}

static void claimed(struct committer *com)
{
    com->is_claimed = true;
    com->clean_is_due = true;
    log_info("entry %" PRId64 ": claims %zu partitions as writer %s", com->state.next - 1,
             com->message->n_starts, com->writer);
    answer(com, TELL_CLAIMED);
}

// A unit.

static void start_unit(struct committer *com)
{
    if (!com->is_claimed || com->message->generation != com->generation) {
        answer(com, TELL_DROPPED);
        return;
    }
    com->n_lost = 0;
    com->upload = (struct upload){0};
    com->phase = PHASE_UPLOAD;
}

static void start_commit(struct committer *com, const struct unit *unit)
{
    struct publish *publish = &com->publish;
    publish->kind = ENTRY_COMMIT;
    publish->spans = unit->spans;
    publish->n_spans = unit->n_spans;
    publish->unit = unit;
    publish->tmp = com->upload.tmp;
    publish_start(publish);
    com->phase = PHASE_COMMIT;
}

static enum status step_upload(struct committer *com, struct err *err)
{
    const struct unit *unit = com->message->unit;
    bool done;
    TRY(upload_step(&com->upload, com->parts.storage, com->parts.env,
                    com->parts.job->settings.upload_verify, unit, com->writer, &done,
                    err));
    if (!done)
        return ST_OK;
    start_commit(com, unit);
    return ST_OK;
}

static void count_commit(struct committer *com)
{
    struct engine_status *status = com->parts.status;
    const struct unit *unit = com->message->unit;
    int64_t records = 0, bytes = 0;
    for (size_t i = 0; i < unit->n_spans; i++)
        records += unit->spans[i].data;
    for (size_t i = 0; i < unit->n_files; i++)
        bytes += unit->files[i].kind == FILE_DATA ? unit->files[i].bytes : 0;
    atomic_fetch_add(&status->n_commits, 1);
    atomic_fetch_add(&status->committed_records, records);
    atomic_fetch_add(&status->committed_rows, unit->rows);
    atomic_fetch_add(&status->committed_bytes, bytes);
    atomic_store(&status->last_commit_ms, wall_ms(com));
}

static void published_unit(struct committer *com)
{
    count_commit(com);
    com->retain_is_due |= com->publish.entry.has_snapshot;
    com->renames = (struct renames){0};
    com->phase = PHASE_RENAME;
}

static enum status step_rename(struct committer *com, struct err *err)
{
    bool done;
    const struct entry *entry = &com->publish.entry;
    TRY(renames_step(&com->renames, com->parts.storage, entry, &done, err));
    if (!done)
        return ST_OK;
    log_state_renamed(&com->state, entry->number);
    log_debug("entry %" PRId64 ": commits %" PRId64 " rows", entry->number,
              com->message->unit->rows);
    bool is_snapshot_next = com->state.next % com->parts.job->settings.log_snapshot == 0;
    com->tidy_is_due = is_snapshot_next && com->state.n_pending;
    answer(com, TELL_COMMITTED);
    return ST_OK;
}

// Publishing, of a claim or a unit.

static void published(struct committer *com)
{
    if (com->message->kind == ASK_CLAIM)
        claimed(com);
    else
        published_unit(com);
}

static enum status lost(struct committer *com, struct err *err)
{
    log_warn("%s: files in tmp are gone before their commit; uploading them again",
             com->parts.storage->url);
    if (++com->n_lost > LOST_MAX)
        return err_set(err, ST_FAIL,
                       "%s: something keeps removing _tramline/tmp/%s: nothing but "
                       "tramline may change what is below _tramline",
                       com->parts.storage->url, com->writer);
    if (com->message->kind == ASK_CLAIM) {
        publish_start(&com->publish);
        return ST_OK;
    }
    com->upload = (struct upload){0};
    com->phase = PHASE_UPLOAD;
    return ST_OK;
}

// Storage calls that succeed on the way do not count as progress: what is repeated within
// storage.retry is the attempt.
static enum status step_publish(struct committer *com, struct err *err)
{
    int64_t number = com->publish.entry.number;
    TRY(com->phase == PHASE_CLAIM ? claim_step(&com->claim, &com->publish, err)
                                  : publish_step(&com->publish, err));
    switch (com->publish.outcome) {
    case PUBLISH_GOES_ON:
        com->is_same_try = number == com->publish.entry.number &&
                           com->publish.phase != PUBLISH_BUILD;
        return ST_OK;
    case PUBLISH_DONE:
        published(com);
        return ST_OK;
    case PUBLISH_CONFLICT:
        log_info("another worker owns a partition of ours: its work is dropped here");
        abandon_begin(com, ST_CONFLICT);
        return ST_OK;
    case PUBLISH_STALE:
        log_warn("%s: the commit log is not the one that was read: reading it anew",
                 com->parts.storage->url);
        abandon_begin(com, ST_CONFLICT);
        return ST_OK;
    case PUBLISH_LOST:
        break;
    }
    return lost(com, err);
}

// Work that cannot go on.

static void abandoned(struct committer *com)
{
    com->is_claimed = false;
    if (com->why == ST_CONFLICT) {
        atomic_fetch_add(&com->parts.status->n_conflicts, 1);
        answer(com, TELL_CONFLICT);
    } else {
        fail(com, &com->err);
    }
}

static enum status step_abandon(struct committer *com, struct err *err)
{
    TRY(abandon_step(&com->abandon, &com->publish, err));
    if (com->abandon.phase != ABANDON_END)
        return ST_OK;
    bool is_claim = com->message->kind == ASK_CLAIM;
    if (!com->abandon.is_published)
        abandoned(com);
    else if (is_claim && claim_goes_on(&com->claim, &com->publish))
        com->phase = PHASE_CLAIM;
    else
        published(com);
    return ST_OK;
}

// What is left over.

static void start_left_over(struct committer *com)
{
    if (com->tidy_is_due) {
        com->tidy_is_due = false;
        com->settle.number = 0;
        com->phase = PHASE_TIDY;
    } else if (com->clean_is_due) {
        com->clean_is_due = false;
        clean_start(&com->clean);
        com->phase = PHASE_CLEAN;
    } else if (com->is_ending) {
        com->phase = PHASE_ENDED;
    } else if (com->retain_is_due) {
        com->retain_is_due = false;
        int64_t keep_ms = com->parts.job->settings.log_retention_ms;
        retain_start(&com->retain, &com->state, wall_ms(com) - keep_ms);
        com->phase = PHASE_RETAIN;
    }
}

static enum status step_tidy(struct committer *com, struct err *err)
{
    bool done;
    TRY(settle_step(&com->settle, com->parts.storage, &com->state, &done, err));
    if (done)
        com->phase = PHASE_IDLE;
    return ST_OK;
}

static enum status step_clean(struct committer *com, struct err *err)
{
    bool done;
    TRY(clean_step(&com->clean, com->parts.storage, &com->state, com->writer, &done,
                   err));
    if (done)
        com->phase = PHASE_IDLE;
    return ST_OK;
}

static enum status step_retain(struct committer *com, struct err *err)
{
    TRY(retain_step(&com->retain, com->parts.storage, err));
    if (com->retain.phase == RETAIN_END)
        com->phase = PHASE_IDLE;
    return ST_OK;
}

// The whole.

static enum status start_message(struct committer *com, struct err *err)
{
    switch (com->message->kind) {
    case ASK_STATE:
        return start_state(com, err);
    case ASK_CLAIM:
        start_claim(com);
        return ST_OK;
    case ASK_UNIT:
        start_unit(com);
        return ST_OK;
    default:
        com->is_ending = true;
        message_free(com->message);
        com->message = NULL;
        return ST_OK;
    }
}

static bool is_left_over(enum phase phase)
{
    return phase == PHASE_TIDY || phase == PHASE_CLEAN || phase == PHASE_RETAIN;
}

// Mail goes first; what was left over then begins anew when there is time.
static enum status fetch_mail(struct committer *com, struct err *err)
{
    if (!com->is_ending)
        com->message = mailbox_try_pop(&com->parts.mail->to_committer);
    if (com->message == NULL) {
        if (com->phase == PHASE_IDLE)
            start_left_over(com);
        return ST_OK;
    }
    com->tidy_is_due |= com->phase == PHASE_TIDY;
    com->clean_is_due |= com->phase == PHASE_CLEAN;
    com->retain_is_due |= com->phase == PHASE_RETAIN;
    com->phase = PHASE_IDLE;
    return start_message(com, err);
}

static enum status step_phase(struct committer *com, struct err *err)
{
    switch (com->phase) {
    case PHASE_RECOVER:
        return step_recover(com, err);
    case PHASE_SETTLE:
        return step_settle(com, err);
    case PHASE_CLAIM:
    case PHASE_COMMIT:
        return step_publish(com, err);
    case PHASE_UPLOAD:
        return step_upload(com, err);
    case PHASE_ABANDON:
        return step_abandon(com, err);
    case PHASE_RENAME:
        return step_rename(com, err);
    case PHASE_TIDY:
        return step_tidy(com, err);
    case PHASE_CLEAN:
        return step_clean(com, err);
    case PHASE_RETAIN:
        return step_retain(com, err);
    case PHASE_IDLE:
    case PHASE_ENDED:
        break;
    }
    return ST_OK;
}

static void give_up(struct committer *com, const struct err *err)
{
    if (is_left_over(com->phase)) {
        log_warn("cleaning is left for later: %s", err->text);
        com->phase = PHASE_IDLE;
    } else if (com->phase == PHASE_ABANDON) {
        abandoned(com); // as far as it went: a later claim cleans up
    } else if (com->phase == PHASE_CLAIM || com->phase == PHASE_COMMIT) {
        com->err = *err;
        abandon_begin(com, err->status);
    } else {
        fail(com, err);
    }
}

static bool is_out_of_time(const struct committer *com)
{
    return deadline_is_over(&com->parts.mail->deadline, now_ms(com));
}

static bool may_retry(struct committer *com, enum status rc, int64_t began_ms,
                      int64_t *ret_until_ms)
{
    if (is_out_of_time(com))
        return false;
    if ((rc != ST_RETRY && rc != ST_UNKNOWN) || is_left_over(com->phase))
        return false;
    if (com->phase == PHASE_ABANDON && ++com->n_abandon_tries >= ABANDON_TRIES_MAX)
        return false;
    int64_t limit_ms = com->parts.job->settings.storage_retry_ms;
    return retry_again(&com->retry, began_ms, now_ms(com), limit_ms, ret_until_ms);
}

// A pause ends early when it turns out that only seconds are left.
static bool is_pausing(struct committer *com, struct wait *ret)
{
    struct deadline *deadline = &com->parts.mail->deadline;
    if (deadline_is_set(deadline) && !com->has_deadline) {
        com->has_deadline = true;
        com->pause_until_ms = 0;
        retry_reset(&com->retry);
    }
    int64_t now = now_ms(com);
    int64_t left_ms = deadline_left(deadline, now, com->pause_until_ms - now);
    *ret = (struct wait){WAIT_TIME, now + left_ms};
    return left_ms > 0;
}

static enum status gave_up(const struct committer *com, struct err *err)
{
    char text[ERR_TEXT_MAX];
    snprintf(text, sizeof(text), "%.1900s", err->text);
    if (is_out_of_time(com))
        return err_set(err, ST_FAIL, "%s; no time was left to try again", text);
    return err_set(err, ST_FAIL, "%s; gave up after %" PRId64 " s (SET storage.retry)",
                   text, com->parts.job->settings.storage_retry_ms / 1000);
}

static struct wait after_failure(struct committer *com, enum status rc, int64_t began_ms,
                                 struct err *err)
{
    struct wait wait;
    if (may_retry(com, rc, began_ms, &com->pause_until_ms)) {
        if (com->retry.delay_ms == 100)
            log_warn("%s; trying again", err->text);
        set_waiting(com, true);
        (void)is_pausing(com, &wait);
        return wait;
    }
    err->status = rc;
    if (rc == ST_RETRY || rc == ST_UNKNOWN)
        err->status = gave_up(com, err);
    retry_reset(&com->retry);
    set_waiting(com, false);
    give_up(com, err);
    return (struct wait){WAIT_NOTHING, 0};
}

static struct wait committer_step(struct committer *com)
{
    struct err err = {0};
    enum status rc = ST_OK;
    struct wait pause;
    int64_t began_ms = now_ms(com);
    if (com->phase == PHASE_ENDED)
        return (struct wait){WAIT_DONE, 0};
    if (is_pausing(com, &pause))
        return pause;
    if (com->message == NULL)
        rc = fetch_mail(com, &err);
    if (rc == ST_OK && com->phase == PHASE_IDLE && !com->is_ending)
        return (struct wait){WAIT_MAIL, now_ms(com) + IDLE_MS};
    com->is_same_try = false;
    if (rc == ST_OK)
        rc = step_phase(com, &err);
    if (rc != ST_OK)
        return after_failure(com, rc, began_ms, &err);
    if (!com->is_same_try)
        retry_reset(&com->retry);
    set_waiting(com, com->retry.delay_ms > 0);
    return (struct wait){WAIT_NOTHING, 0};
}

void committer_run(struct committer *com)
{
    struct wait wait;
    while ((wait = committer_step(com)).kind != WAIT_DONE)
        if (wait.kind != WAIT_NOTHING)
            com->parts.waiter->wait(com->parts.waiter, wait);
}
