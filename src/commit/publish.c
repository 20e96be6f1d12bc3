// SPDX-License-Identifier: Apache-2.0
#include "commit/publish.h"

#include <inttypes.h>

#include "commit/replay.h"
#include "log/log_read.h"

// Somebody else has claimed the partition, or it does not stand where the work begins;
// for a claim: it was touched since it was looked at.
static bool is_taken(const struct publish *publish, const struct span *span)
{
    const struct log_partition *partition =
        log_state_find(publish->state, span->partition);
    if (publish->work->kind == ENTRY_COMMIT)
        return partition == NULL || partition->next != span->first ||
               !log_state_is_claimed_by(partition, publish->writer);
    return partition != NULL && partition->touched >= publish->work->base;
}

static bool is_conflict(const struct publish *publish)
{
    if (publish->work->kind == ENTRY_JOB)
        return publish->state->next > 0;
    if (publish->work->kind == ENTRY_REPLAY)
        return replay_is_taken(publish);
    for (size_t i = 0; i < publish->work->n_spans; i++)
        if (is_taken(publish, &publish->work->spans[i]))
            return true;
    return false;
}

static struct entry_file make_file(struct publish *publish, size_t index)
{
    const struct entry_file *file = &publish->work->unit->files[index];
    int64_t day_ms =
        publish->job->settings.directory_by_day ? publish->entry.time_ms : -1;
    struct entry_file ret = *file;
    if (!publish->patience->storage.renames) {
        ret.name = file->tmp; // where it lies
        return ret;
    }
    struct path name =
        file->kind == FILE_DEAD
            ? path_dead(publish->entry.number, index)
            : path_part(publish->entry.number, index, publish->job->extension, day_ms);
    ret.name = arena_str(&publish->arena, path_str(&name));
    return ret;
}

static void add_work(struct publish *publish)
{
    struct entry *entry = &publish->entry;
    const struct publish_work *work = publish->work;
    const struct unit *unit = work->unit;
    entry->spans = arena_array(&publish->arena, work->n_spans, sizeof(struct span));
    for (size_t i = 0; i < work->n_spans; i++)
        if (unit == NULL || work->spans[i].next > work->spans[i].first)
            entry->spans[entry->n_spans++] = work->spans[i];
    if (unit == NULL)
        return;
    if (work->replay != NULL)
        entry->replay = *work->replay;
    entry->dimension = unit->dimension;
    entry->rows = unit->rows;
    entry->matched = unit->matched;
    entry->first_batch_ms = unit->first_batch_ms;
    entry->last_batch_ms = unit->last_batch_ms;
    entry->files = arena_array(&publish->arena, unit->n_files, sizeof(struct entry_file));
    for (size_t i = 0; i < unit->n_files; i++)
        entry->files[entry->n_files++] = make_file(publish, i);
}

// What nobody could read, or apply, would be the end of the log: it ends the job instead.
static enum status make_entry(struct publish *publish, struct err *err)
{
    const struct job *job = publish->job;
    struct log_state *state = publish->state;
    struct env *env = publish->patience->parts.env;
    arena_clear(&publish->arena);
    char *attempt = arena_alloc(&publish->arena, UUID_TEXT);
    env_uuid(env, attempt);
    publish->entry = (struct entry){
        .number = state->next,
        .kind = publish->work->kind,
        .writer = str_of(publish->writer),
        .attempt = str_of(attempt),
        .worker = job->worker,
        .time_ms = env->ops->wall_ms(env),
        .job = job->identity,
        .plan = job->plan,
        .schema = job->schema,
        .format = job->format,
        .dimension = job->dimension,
    };
    if (publish->work->kind == ENTRY_JOB || publish->work->kind == ENTRY_CLAIM)
        publish->entry.script = job->script;
    memcpy(publish->entry.prev, state->last_checksum, SHA256_HEX);
    add_work(publish);
    publish->entry.has_snapshot =
        state->next > 0 && state->next % job->settings.log_snapshot == 0;
    if (publish->entry.has_snapshot)
        publish->entry.snapshot = log_state_snapshot(state, &publish->arena);
    buf_clear(&publish->bytes);
    TRY(entry_encode(&publish->entry, &publish->bytes, err));
    return log_state_check(state, &publish->entry, err);
}

// What lies there must be what was sent: an entry that nobody can read would stop the
// job. ST_NOT_FOUND: somebody has removed it.
static enum status check_source(struct publish *publish, struct err *err)
{
    struct storage *storage = &publish->patience->storage;
    struct buf bytes AUTO(buf_release) = {0};
    TRY(storage_read_all(storage, path_str(&publish->source), ENTRY_BYTES_MAX, &bytes,
                         err));
    if (str_eq(buf_as_str(&bytes), buf_as_str(&publish->bytes)))
        return ST_OK;
    return err_set(err, ST_RETRY,
                   "%s/%s: the storage does not hold the %zu bytes sent to it",
                   storage->url, publish->source.text, publish->bytes.n);
}

// A name whose write went wrong may hold anything: each try has a new one.
static enum status write_source(struct publish *publish, struct err *err)
{
    struct storage *storage = &publish->patience->storage;
    enum status rc;
    if (!storage->renames)
        return ST_OK; // the entry is made at its place
    do {
        char uuid[UUID_TEXT];
        env_uuid(publish->patience->parts.env, uuid);
        struct path source = path_tmp(str_of(publish->writer), uuid);
        rc = storage_write_bytes(storage, path_str(&source), buf_as_str(&publish->bytes),
                                 err);
        if (rc == ST_OK) {
            publish->source = source;
            rc = check_source(publish, err);
        }
    } while (patience_again(publish->patience, &rc, err));
    return rc;
}

static enum status make_bucket(struct publish *publish, struct err *err)
{
    struct storage *storage = &publish->patience->storage;
    int64_t bucket = bucket_of(publish->entry.number);
    if (publish->n_made_buckets > bucket)
        return ST_OK;
    struct path path = path_bucket(bucket);
    enum status rc = storage->ops->mkdir(storage, path_str(&path), err);
    if (rc != ST_OK && rc != ST_EXISTS)
        return rc;
    publish->n_made_buckets = bucket + 1;
    return ST_OK;
}

static enum status appear(struct publish *publish, struct err *err)
{
    struct storage *storage = &publish->patience->storage;
    struct path target = path_entry(publish->entry.number);
    if (storage->renames)
        return storage->ops->publish(storage, path_str(&publish->source),
                                     path_str(&target), err);
    return storage->ops->create_exclusive(storage, path_str(&target), (struct str){0},
                                          buf_as_str(&publish->bytes), err);
}

// ST_OK: *ret is what the rename came to: ST_OK, ST_EXISTS, ST_NOT_FOUND, or ST_UNKNOWN,
// and then there was a pause.
static enum status rename_source(struct publish *publish, enum status *ret,
                                 struct err *err)
{
    enum status rc;
    bool is_again;
    do {
        rc = appear(publish, err);
        *ret = rc;
        is_again = patience_again(publish->patience, &rc, err);
    } while (is_again && *ret == ST_RETRY);
    if (*ret == ST_NOT_FOUND) // the source, or this
        publish->n_made_buckets = 0;
    bool is_answer = rc == ST_OK || rc == ST_EXISTS || rc == ST_NOT_FOUND;
    return is_again || is_answer ? ST_OK : rc;
}

enum status publish_read(struct publish *publish, struct arena *arena, struct entry *ret,
                         bool *ret_mine, struct err *err)
{
    TRY(log_read(&publish->patience->storage, publish->entry.number, arena, ret, err));
    *ret_mine = str_eq(ret->writer, publish->entry.writer) &&
                str_eq(ret->attempt, publish->entry.attempt);
    return ST_OK;
}

static enum status published(struct publish *publish, enum publish_outcome *ret,
                             struct err *err)
{
    *ret = PUBLISH_DONE;
    return log_state_apply(publish->state, &publish->entry, err);
}

static enum status stale(struct publish *publish, enum publish_outcome *ret)
{
    log_state_release(publish->state);
    *ret = PUBLISH_STALE;
    return ST_OK;
}

// The number is somebody else's: ours can never appear there. On to the next one.
static enum status number_is_taken(struct publish *publish, const struct entry *entry,
                                   bool *ret_next, struct err *err)
{
    struct storage *storage = publish->patience->parts.storage; // one try will do
    struct err ignored;
    *ret_next = true;
    TRY(log_state_apply(publish->state, entry, err));
    if (publish->source.text[0] && !is_conflict(publish) &&
        storage->ops->remove(storage, path_str(&publish->source), &ignored) == ST_OK)
        publish->source = (struct path){0};
    return ST_OK;
}

// The rename did not find its source, or not the bucket. ST_NOT_FOUND: the source is
// gone.
static enum status make_bucket_again(struct publish *publish, struct err *err)
{
    struct storage *storage = &publish->patience->storage;
    struct file_info info;
    if (storage->renames)
        TRY(storage->ops->stat(storage, path_str(&publish->source), &info, err));
    return make_bucket(publish, err);
}

// Steps 2 to 4: looks, renames, and reads the number until it is known whose it is. A
// number is free for good only while its predecessor stands: else old entries were
// removed, or the whole log, since it was read. ST_NOT_FOUND: files of ours are gone.
static enum status take_number(struct publish *publish, enum publish_outcome *ret,
                               bool *ret_next, struct err *err)
{
    for (;;) {
        struct arena arena AUTO(arena_release) = {0};
        struct entry there;
        enum status answer = ST_NOT_FOUND;
        bool is_same, is_mine, is_whole;
        TRY(log_is_same(&publish->patience->storage, publish->state, &is_same, err));
        if (!is_same)
            return stale(publish, ret);
        TRY(publish_look_at_files(publish, &is_whole, err));
        if (is_whole)
            TRY(rename_source(publish, &answer, err));
        if (answer == ST_OK)
            return published(publish, ret, err);
        enum status rc = publish_read(publish, &arena, &there, &is_mine, err);
        if (rc == ST_OK)
            return is_mine ? published(publish, ret, err)
                           : number_is_taken(publish, &there, ret_next, err);
        if (rc != ST_NOT_FOUND || !is_whole)
            return rc;
        if (answer == ST_NOT_FOUND)
            TRY(make_bucket_again(publish, err));
    }
}

// For the end of the log as the state knows it; *ret_next: on to the next number.
static enum status try_number(struct publish *publish, enum publish_outcome *ret,
                              bool *ret_next, struct err *err)
{
    *ret_next = false;
    *ret = PUBLISH_CONFLICT;
    if (is_conflict(publish))
        return ST_OK;
    TRY(make_entry(publish, err));
    enum status rc = write_source(publish, err);
    if (rc == ST_OK)
        rc = make_bucket(publish, err);
    if (rc == ST_OK)
        rc = take_number(publish, ret, ret_next, err);
    if (rc != ST_NOT_FOUND)
        return rc;
    *ret = PUBLISH_LOST;
    return ST_OK;
}

enum status publish_entry(struct publish *publish, const struct publish_work *work,
                          enum publish_outcome *ret, struct err *err)
{
    enum status rc;
    bool is_next;
    publish->work = work;
    publish->source = (struct path){0};
    publish->entry = (struct entry){0};
    buf_clear(&publish->bytes);
    do {
        patience_attempt(publish->patience);
        rc = try_number(publish, ret, &is_next, err);
        patience_attempt_end(publish->patience);
    } while (rc == ST_OK && is_next);
    return rc;
}

void publish_release(struct publish *publish)
{
    arena_release(&publish->arena);
    buf_release(&publish->bytes);
    *publish = (struct publish){0};
}
