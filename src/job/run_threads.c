// SPDX-License-Identifier: Apache-2.0
#include "job/run_threads.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/asker.h"
#include "base/json_put.h"
#include "base/log.h"
#include "base/notify.h"
#include "base/text.h"
#include "base/thread.h"
#include "core/env.h"
#include "job/claim_beside.h"
#include "job/stop.h"
#include "work/commit_service.h"
#include "work/hand.h"
#include "work/lane.h"
#include "work/uploader.h"
#include "work/worker.h"

enum {
    TELL_OFTEN_MS = 10000,
    TELL_SELDOM_MS = 60000,
    STILL_MAX_MS = 600000, // without a sign of life of the worker: it hangs
    N_THREADS = 2
};

struct watch {
    const struct run_parts *parts;
    struct run_shown shown;
    struct mail mail;
    struct mailbox_waiter upload_waiter, commit_waiter;
    struct worker *worker;
    struct uploader *uploader;
    struct mailbox_waiter lane_waiters[MAIL_LANES_MAX];
    struct lane *lanes[MAIL_LANES_MAX];
    pthread_t lane_threads[MAIL_LANES_MAX];
    struct commit_service *committer;
    struct hand *hands[HANDS_MAX];
    pthread_t hand_threads[HANDS_MAX];
    int done_fd; // an event when worker or committer has ended
    int n_ended;
    int64_t begun_ms, told_ms, looked_ms, beat_ms;
    bool told_padded;
    bool tables_changed;
    bool is_stopping; // by a signal
};

static void wake(const struct watch *watch)
{
    uint64_t one = 1;
    if (write(watch->done_fd, &one, sizeof(one)) < 0)
        return;                 // the counter is full: it is awake already
    deadline_end(stop_waits()); // a look at the tables must not hold up the end
}

static int64_t now_ms(void)
{
    return env_system()->ops->monotonic_ms(env_system());
}

static int64_t load(_Atomic int64_t *number)
{
    return atomic_load_explicit(number, memory_order_relaxed);
}

static void *worker_thread(void *arg)
{
    struct watch *watch = arg;
    struct wait wait;
    while ((wait = worker_step(watch->worker)).kind != WAIT_DONE)
        mailbox_wait(&watch->mail.to_worker, wait, env_system());
    wake(watch);
    return NULL;
}

static void *uploader_thread(void *arg)
{
    struct watch *watch = arg;
    uploader_run(watch->uploader);
    return NULL;
}

static void *lane_thread(void *arg)
{
    lane_run(arg);
    return NULL;
}

static void *hand_thread(void *arg)
{
    struct hand *hand = arg;
    struct wait wait;
    while ((wait = hand_step(hand)).kind != WAIT_DONE)
        hand_wait(hand, wait);
    return NULL;
}

static void *committer_thread(void *arg)
{
    struct watch *watch = arg;
    commit_service_run(watch->committer);
    wake(watch);
    return NULL;
}

// The one that the status server shows. Once the worker has ended nobody measures it any
// more: unknown.
static struct board_lag lag_of(const struct watch *watch)
{
    struct env *env = env_system();
    struct board_view view;
    if (watch->n_ended == N_THREADS)
        return (struct board_lag){0};
    board_read(&watch->parts->status->board, &view);
    struct board_lag lag = board_lag(&view, env->ops->wall_ms(env));
    board_view_release(&view);
    return lag;
}

static void tell_json(struct watch *watch, int64_t ms)
{
    struct engine_status *s = watch->parts->status;
    struct board_lag lag = lag_of(watch);
    AUTO(buf_release) struct buf line = {0};
    json_put_open(&line, NULL, '{');
    json_put_number(&line, "elapsed_ms", ms);
    json_put_number(&line, "read", load(&s->n_read));
    json_put_number(&line, "matched", load(&s->n_matched));
    json_put_number(&line, "ignored", load(&s->n_ignored));
    json_put_number(&line, "rejected", load(&s->n_rejected));
    json_put_number(&line, "rows", load(&s->n_rows));
    json_put_number(&line, "commits", load(&s->n_commits));
    json_put_number(&line, "committed_records", load(&s->committed_records));
    json_put_number(&line, "committed_rows", load(&s->committed_rows));
    json_put_number(&line, "committed_bytes", load(&s->committed_bytes));
    if (lag.is_known) {
        json_put_number(&line, "lag_records", lag.n_records);
        json_put_number(&line, "lag_ms", lag.ms);
    }
    json_put_number(&line, "partitions", load(&s->n_partitions));
    json_put_number(&line, "entry", load(&s->last_entry));
    json_put_close(&line, '}');
    printf("%s\n", buf_cstr(&line));
    fflush(stdout);
}

static void count_padded(const struct decoder *decoder, int64_t *n, const char **first)
{
    const struct padded_texts *padded = decoder->padded;
    if (padded == NULL || padded->n == 0)
        return;
    if (*n == 0)
        *first = padded->first;
    *n += (int64_t)padded->n;
}

// Says once why records may match nothing.
static void tell_padded(struct watch *watch, int64_t enriched, int64_t matched)
{
    const struct run_parts *parts = watch->parts;
    int64_t n = 0;
    const char *first = "";
    count_padded(parts->stream.decoder, &n, &first);
    for (size_t i = 0; i < parts->hands.n; i++)
        count_padded(parts->hands.items[i].stream.decoder, &n, &first);
    if (watch->told_padded || n == 0 || matched >= enriched)
        return;
    watch->told_padded = true;
    const struct plan *plan = watch->parts->pipeline->plan;
    log_warn(
        "stream %.*s: %s of %.*s with blanks at the ends, the first %s: they match only "
        "one with the same blanks; trim = true takes them off",
        STR_ARGS(plan->stream->name), text_counted(n, "value", "values"),
        STR_ARGS(plan->join_column), first);
}

static void tell(struct watch *watch)
{
    struct engine_status *s = watch->parts->status;
    int64_t ms = now_ms() - watch->begun_ms;
    int64_t read = load(&s->n_read);
    int64_t enriched = read - load(&s->n_ignored) - load(&s->n_rejected);
    int64_t matched = load(&s->n_matched); // may be a batch ahead of n_read
    tell_padded(watch, enriched, matched);
    notify("STATUS=read %s, committed %s", text_counted(read, "record", "records"),
           text_count(load(&s->committed_records)));
    if (watch->shown.as_json) {
        tell_json(watch, ms);
        return;
    }
    int64_t tenths = enriched > 0 ? matched * 1000 / enriched : 0;
    if (tenths > 1000)
        tenths = 1000;
    char share[40] = "", lag[80] = "";
    if (enriched > 0) // else there is nothing of which it could be a share
        snprintf(share, sizeof(share), ", matched %lld.%lld %%", (long long)(tenths / 10),
                 (long long)(tenths % 10));
    struct board_lag known = lag_of(watch);
    if (known.is_known)
        snprintf(lag, sizeof(lag), "; lag %s, %s",
                 text_counted(known.n_records, "record", "records"),
                 text_seconds(known.ms));
    log_info("read %s%s, wrote %s, rejected %s; committed %s in %s%s",
             text_counted(read, "record", "records"), share,
             text_counted(load(&s->n_rows), "row", "rows"),
             text_count(load(&s->n_rejected)),
             text_counted(load(&s->committed_records), "record", "records"),
             text_counted(load(&s->n_commits), "commit", "commits"), lag);
}

// A look at the tables waits for a storage that is away as long as all calls do, and
// nobody beats meanwhile: the manager is told how long that may be.
static void suspend_watchdog(const struct watch *watch, int64_t beat_every)
{
    const struct options *set = &watch->parts->pipeline->plan->settings;
    int64_t wait_ms =
        options_number(set, "storage.retry") + options_number(set, "storage.timeout");
    if (beat_every > 0)
        notify("WATCHDOG=1\nWATCHDOG_USEC=%lld",
               (long long)(wait_ms + 2 * beat_every) * 1000);
}

static void resume_watchdog(struct watch *watch, int64_t beat_every)
{
    if (beat_every > 0)
        notify("WATCHDOG=1\nWATCHDOG_USEC=%lld", (long long)beat_every * 2000);
    watch->beat_ms = now_ms();
}

// Says once that the staged tables are not those that were read.
static void look_at_tables(struct watch *watch)
{
    char version[65];
    struct err err = {0};
    enum status rc = tables_version(watch->parts->pipeline, version, &err);
    if (deadline_is_over(stop_waits(), now_ms()))
        return; // nobody wants to know any more
    if (rc != ST_OK) {
        log_warn("cannot look at the staged tables: %s", err.text);
        return;
    }
    if (watch->tables_changed || str_is(watch->parts->job.dimension, version))
        return;
    watch->tables_changed = true;
    const struct options *set = &watch->parts->pipeline->plan->settings;
    bool fail = options_is(set, "on_table_change", "fail");
    log_line(fail ? LOG_ERROR : LOG_WARN,
             "the staged tables have changed; this run goes on with those it read at its "
             "start%s",
             fail ? " to its last commit and ends (on_table_change = 'fail')"
                  : "; restart it to use the new ones");
    if (fail)
        worker_stop(watch->worker, 0);
}

static int64_t earliest(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void look_at_threads(struct watch *watch)
{
    uint64_t n;
    if (read(watch->done_fd, &n, sizeof(n)) > 0)
        watch->n_ended += (int)n;
    if (!stop_is_asked() || watch->is_stopping)
        return;
    watch->is_stopping = true;
    notify("STOPPING=1\nSTATUS=stopping");
    worker_stop(watch->worker, stop_commit_ms());
}

// To the service manager, which ends and restarts a program that it does not hear.
static void beat(struct watch *watch)
{
    int64_t stepped_ms = load(&watch->parts->status->board.stepped_ms);
    if (stepped_ms == 0 || now_ms() - stepped_ms < STILL_MAX_MS)
        notify("WATCHDOG=1");
    watch->beat_ms = now_ms();
}

static void watch_until_done(struct watch *watch)
{
    int64_t tell_every = watch->shown.often ? TELL_OFTEN_MS : TELL_SELDOM_MS;
    const struct options *set = &watch->parts->pipeline->plan->settings;
    int64_t look_every = options_number(set, "tables.check_interval");
    int64_t beat_every = notify_watchdog_ms();
    watch->told_ms = watch->looked_ms = watch->beat_ms = now_ms();
    while (watch->n_ended < N_THREADS) {
        int64_t next =
            earliest(watch->told_ms + tell_every, watch->looked_ms + look_every);
        if (beat_every > 0)
            next = earliest(next, watch->beat_ms + beat_every);
        int64_t wait = next - now_ms();
        struct pollfd events[] = {
            {.fd = watch->done_fd, .events = POLLIN},
            {.fd = watch->is_stopping ? -1 : stop_fd(), .events = POLLIN}};
        poll(events, ARRAY_LEN(events), wait < 0 ? 0 : (int)wait);
        look_at_threads(watch);
        if (beat_every > 0 && now_ms() >= watch->beat_ms + beat_every)
            beat(watch);
        if (now_ms() >= watch->told_ms + tell_every) {
            tell(watch);
            watch->told_ms = now_ms();
        }
        if (now_ms() >= watch->looked_ms + look_every) {
            suspend_watchdog(watch, beat_every);
            look_at_tables(watch);
            resume_watchdog(watch, beat_every);
            watch->looked_ms = now_ms();
        }
    }
}

// A run --once from cron is one that nobody watches: that its records matched nothing is
// an error. They are committed all the same; what a person may not want committed ends
// earlier, by on_error.share and match.min. A query that joins nothing may leave out what
// it likes.
static enum status check_outcome(struct watch *watch, struct err *err)
{
    const struct plan *plan = watch->parts->pipeline->plan;
    int64_t rejected = load(&watch->parts->status->n_rejected);
    int64_t wanted =
        load(&watch->parts->status->n_read) - load(&watch->parts->status->n_ignored);
    if (!watch->parts->job.settings.once || wanted == 0)
        return ST_OK;
    if (rejected == wanted) {
        log_warn("%s%s rejected, as on_error.share = '100%%' allows; tramline cat --dead "
                 "shows each with its reason",
                 wanted > 1 ? "all of the " : "",
                 text_counted(wanted, "record was", "records were"));
        return ST_OK;
    }
    if (load(&watch->parts->status->n_matched) > 0 || plan->n_insert_reads < 2 ||
        options_given(&plan->settings, "match.min"))
        return ST_OK;
    return err_set(err, ST_DATA,
                   "of the %s none gave a row: are the tables those of this stream? If "
                   "that is as it should be: SET match.min = '0%%'",
                   text_counted(wanted - rejected, "record", "records"));
}

static void open_lane(struct watch *watch, int i)
{
    const struct run_parts *parts = watch->parts;
    watch->lane_waiters[i] = mailbox_waiter(&watch->mail.to_lanes[i], env_system());
    watch->lanes[i] = lane_open(&(struct lane_parts){
        .job = &parts->job,
        .storage = parts->lanes[i],
        .env = env_system(),
        .mail = &watch->mail,
        .number = i,
        .status = parts->status,
        .waiter = &watch->lane_waiters[i].waiter,
    });
}

// Each may hand over as many units as keep the lanes busy together.
static void open_hand(struct watch *watch, size_t i)
{
    const struct run_parts *parts = watch->parts;
    const struct run_hand *own = &parts->hands.items[i];
    int n = (int)parts->hands.n;
    watch->hands[i] = hand_open(&(struct hand_parts){
        .builder = {.job = &parts->job,
                    .topic = parts->stream.topic,
                    .stream = own->stream.stream,
                    .decoder = own->stream.decoder,
                    .executor = own->executor,
                    .writer = own->writer,
                    .spool = own->spool,
                    .env = env_system(),
                    .status = parts->status,
                    .shares = parts->hands.shares},
        .number = (int)i + 1,
        .of = n,
        .room = (watch->mail.ahead + n) / n,
        .mail = &watch->mail,
        .lead = parts->stream.stream,
    });
}

static enum status open_watch(const struct run_parts *parts, struct run_shown shown,
                              struct watch *watch, struct err *err)
{
    *watch = (struct watch){
        .parts = parts,
        .shown = shown,
        .begun_ms = now_ms(),
    };
    TRY(stop_open_event(&watch->done_fd, err));
    mail_init(&watch->mail, parts->job.settings.commit_ahead);
    struct worker_parts worker = {
        .job = &parts->job,
        .stream = parts->stream.stream,
        .topic = parts->stream.topic,
        .asker = parts->stream.asker,
        .decoder = parts->stream.decoder,
        .executor = parts->executor,
        .writer = parts->writer,
        .spool = parts->spool,
        .env = env_system(),
        .mail = &watch->mail,
        .status = parts->status,
        .hands = watch->hands,
        .n_hands = parts->hands.n,
        .shares = parts->hands.shares,
    };
    for (size_t i = 0; i < parts->hands.n; i++)
        open_hand(watch, i);
    watch->worker = worker_open(&worker);
    watch->upload_waiter = mailbox_waiter(&watch->mail.to_uploader, env_system());
    watch->commit_waiter = mailbox_waiter(&watch->mail.to_committer, env_system());
    struct uploader_parts uploader = {
        .job = &parts->job,
        .storage = parts->uploads,
        .env = env_system(),
        .mail = &watch->mail,
        .status = parts->status,
        .waiter = &watch->upload_waiter.waiter,
    };
    watch->uploader = uploader_open(&uploader);
    for (int i = 0; i < watch->mail.n_lanes; i++)
        open_lane(watch, i);
    struct commit_service_parts committer = {
        .job = &parts->job,
        .storage = parts->storage,
        .topic = parts->stream.topic,
        .asker = parts->stream.asker,
        .env = env_system(),
        .mail = &watch->mail,
        .status = parts->status,
        .waiter = &watch->commit_waiter.waiter,
        .prepared = parts->prepared,
    };
    watch->committer = commit_service_open(&committer);
    return ST_OK;
}

static void close_watch(struct watch *watch)
{
    worker_free(watch->worker);
    for (size_t i = 0; i < watch->parts->hands.n; i++)
        hand_free(watch->hands[i]);
    uploader_free(watch->uploader);
    for (int i = 0; i < watch->mail.n_lanes; i++)
        lane_free(watch->lanes[i]);
    commit_service_free(watch->committer);
    mail_release(&watch->mail);
    close(watch->done_fd);
}

enum status run_threads(const struct run_parts *parts, struct run_shown shown,
                        struct err *err)
{
    struct watch watch;
    enum status status = open_watch(parts, shown, &watch, err);
    if (status != ST_OK) {
        claim_beside_drop(parts->storage, parts->prepared);
        return status;
    }
    pthread_t worker, uploader, committer;
    thread_start(&worker, worker_thread, &watch);
    thread_start(&uploader, uploader_thread, &watch);
    thread_start(&committer, committer_thread, &watch);
    for (int i = 0; i < watch.mail.n_lanes; i++)
        thread_start(&watch.lane_threads[i], lane_thread, watch.lanes[i]);
    for (size_t i = 0; i < parts->hands.n; i++)
        thread_start(&watch.hand_threads[i], hand_thread, watch.hands[i]);
    notify("READY=1\nSTATUS=reading");
    watch_until_done(&watch);
    pthread_join(worker, NULL);
    for (size_t i = 0; i < parts->hands.n; i++)
        pthread_join(watch.hand_threads[i], NULL);
    pthread_join(uploader, NULL);
    for (int i = 0; i < watch.mail.n_lanes; i++)
        pthread_join(watch.lane_threads[i], NULL);
    pthread_join(committer, NULL);
    asker_join(parts->stream.asker);
    tell(&watch);
    status = worker_result(watch.worker, err);
    if (status == ST_OK && watch.tables_changed &&
        options_is(&parts->pipeline->plan->settings, "on_table_change", "fail"))
        status = err_set(err, ST_FAIL,
                         "the staged tables changed while the job ran; what "
                         "was read is committed; run it again");
    if (status == ST_OK && !stop_is_asked())
        status = check_outcome(&watch, err);
    close_watch(&watch);
    return status;
}
