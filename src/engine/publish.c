// SPDX-License-Identifier: Apache-2.0
#include "engine/publish.h"

#include <inttypes.h>

#include "engine/log_read.h"

void publish_start(struct publish *publish)
{
    publish->phase = PUBLISH_BUILD;
    publish->outcome = PUBLISH_GOES_ON;
    publish->source = (struct path){0};
    publish->source_gone = false;
    publish->entry = (struct entry){0};
    buf_clear(&publish->bytes);
}

// Somebody else has claimed the partition, or it does not stand where the work begins;
// for a claim: it was touched since it was looked at.
static bool is_taken(const struct publish *publish, const struct span *span)
{
    const struct log_partition *partition =
        log_state_find(publish->state, span->partition);
    if (publish->kind == ENTRY_COMMIT)
        return partition == NULL || partition->next != span->first ||
               strcmp(partition->writer, publish->writer) != 0;
    return partition != NULL && partition->touched >= publish->base;
}

static bool is_conflict(const struct publish *publish)
{
    if (publish->kind == ENTRY_JOB)
        return publish->state->next > 0;
    for (size_t i = 0; i < publish->n_spans; i++)
        if (is_taken(publish, &publish->spans[i]))
            return true;
    return false;
}

static enum status end_with(struct publish *publish, enum publish_outcome outcome)
{
    publish->outcome = outcome;
    publish->phase = PUBLISH_END;
    return ST_OK;
}

static struct entry_file build_file(struct publish *publish, size_t index)
{
    const struct unit_file *file = &publish->unit->files[index];
    int64_t day_ms =
        publish->job->settings.directory_by_day ? publish->entry.time_ms : -1;
    struct path name = file->kind == FILE_DEAD ? path_dead(publish->entry.number, index)
                                               : path_part(publish->entry.number, index,
                                                           file->extension, day_ms);
    return (struct entry_file){
        .kind = file->kind,
        .tmp = path_str(&publish->tmp[index]),
        .name = arena_str(&publish->arena, path_str(&name)),
        .rows = file->rows,
        .bytes = file->bytes,
        .checksum = file->checksum,
    };
}

static void build_work(struct publish *publish)
{
    struct entry *entry = &publish->entry;
    const struct unit *unit = publish->unit;
    entry->spans = arena_array(&publish->arena, publish->n_spans, sizeof(struct span));
    for (size_t i = 0; i < publish->n_spans; i++)
        if (unit == NULL || publish->spans[i].next > publish->spans[i].first)
            entry->spans[entry->n_spans++] = publish->spans[i];
    if (unit == NULL)
        return;
    entry->rows = unit->rows;
    entry->matched = unit->matched;
    entry->first_batch_ms = unit->first_batch_ms;
    entry->last_batch_ms = unit->last_batch_ms;
    entry->files = arena_array(&publish->arena, unit->n_files, sizeof(struct entry_file));
    for (size_t i = 0; i < unit->n_files; i++)
        entry->files[entry->n_files++] = build_file(publish, i);
}

static enum status build_entry(struct publish *publish, struct err *err)
{
    const struct job *job = publish->job;
    struct log_state *state = publish->state;
    arena_clear(&publish->arena);
    char *attempt = arena_alloc(&publish->arena, UUID_TEXT);
    env_uuid(publish->env, attempt);
    publish->entry = (struct entry){
        .number = state->next,
        .kind = publish->kind,
        .writer = str_of(publish->writer),
        .attempt = str_of(attempt),
        .worker = job->worker,
        .time_ms = publish->env->ops->wall_ms(publish->env),
        .job = job->identity,
        .plan = job->plan,
        .schema = job->schema,
        .format = job->format,
        .dimension = job->dimension,
    };
    memcpy(publish->entry.prev, state->last_checksum, SHA256_HEX);
    build_work(publish);
    publish->entry.has_snapshot =
        state->next > 0 && state->next % job->settings.log_snapshot == 0;
    if (publish->entry.has_snapshot)
        publish->entry.snapshot = log_state_snapshot(state, &publish->arena);
    buf_clear(&publish->bytes);
    TRY(entry_encode(&publish->entry, &publish->bytes, err));
    return log_state_check(state, &publish->entry, err);
}

static enum status step_build(struct publish *publish, struct err *err)
{
    if (is_conflict(publish))
        return end_with(publish, PUBLISH_CONFLICT);
    TRY(build_entry(publish, err));
    publish->phase = PUBLISH_WRITE;
    return ST_OK;
}

// A name whose write went wrong may hold anything: each try has a new one.
static enum status step_write(struct publish *publish, struct err *err)
{
    char uuid[UUID_TEXT];
    env_uuid(publish->env, uuid);
    struct path source = path_tmp(str_of(publish->writer), uuid);
    TRY(storage_write_bytes(publish->storage, path_str(&source),
                            buf_as_str(&publish->bytes), err));
    publish->source = source;
    publish->phase = PUBLISH_CHECK;
    return ST_OK;
}

// What lies there must be what was sent: an entry that nobody can read would stop the
// job.
static enum status step_check(struct publish *publish, struct err *err)
{
    struct buf bytes AUTO(buf_release) = {0};
    enum status rc = storage_read_all(publish->storage, path_str(&publish->source),
                                      ENTRY_BYTES_MAX, &bytes, err);
    if (rc == ST_NOT_FOUND)
        return end_with(publish, PUBLISH_LOST);
    TRY(rc);
    if (!str_eq(buf_as_str(&bytes), buf_as_str(&publish->bytes))) {
        publish->phase = PUBLISH_WRITE;
        return err_set(err, ST_RETRY,
                       "%s/%s: the storage does not hold the %zu bytes sent to it",
                       publish->storage->url, publish->source.text, publish->bytes.n);
    }
    bool has_bucket = publish->n_made_buckets > bucket_of(publish->entry.number);
    publish->phase = has_bucket ? PUBLISH_LOOK : PUBLISH_MKDIR;
    return ST_OK;
}

static enum status step_mkdir(struct publish *publish, struct err *err)
{
    int64_t bucket = bucket_of(publish->entry.number);
    struct path path = path_bucket(bucket);
    enum status rc = publish->storage->ops->mkdir(publish->storage, path_str(&path), err);
    if (rc != ST_OK && rc != ST_EXISTS)
        return rc;
    publish->n_made_buckets = bucket + 1;
    publish->phase = PUBLISH_LOOK;
    return ST_OK;
}

// A number is free for good only while its predecessor stands: else old entries were
// removed, or the whole log, since it was read.
static enum status step_look(struct publish *publish, struct err *err)
{
    bool is_same;
    TRY(log_is_same(publish->storage, publish->state, &is_same, err));
    if (!is_same) {
        log_state_release(publish->state);
        return end_with(publish, PUBLISH_STALE);
    }
    publish->phase = PUBLISH_RENAME;
    return ST_OK;
}

static enum status published(struct publish *publish, struct err *err)
{
    TRY(log_state_apply(publish->state, &publish->entry, err));
    return end_with(publish, PUBLISH_DONE);
}

static enum status step_rename(struct publish *publish, struct err *err)
{
    struct path target = path_entry(publish->entry.number);
    enum status rc = publish->storage->ops->publish(
        publish->storage, path_str(&publish->source), path_str(&target), err);
    switch (rc) {
    case ST_OK:
        return published(publish, err);
    case ST_NOT_FOUND:
        publish->source_gone = true;
        publish->n_made_buckets = 0; // or it was that
        publish->phase = PUBLISH_READ;
        return ST_OK;
    case ST_EXISTS:
        publish->source_gone = false;
        publish->phase = PUBLISH_READ;
        return ST_OK;
    case ST_UNKNOWN:
        publish->source_gone = false;
        publish->phase = PUBLISH_READ;
        return rc; // after a pause
    default:
        return rc;
    }
}

enum status publish_read_back(struct publish *publish, struct arena *arena,
                              struct entry *ret, bool *ret_mine, struct err *err)
{
    TRY(log_read(publish->storage, publish->entry.number, arena, ret, err));
    *ret_mine = str_eq(ret->writer, publish->entry.writer) &&
                str_eq(ret->attempt, publish->entry.attempt);
    return ST_OK;
}

// The number is free. Either the rename got no answer: once more, the same; or the source
// or the directory was not there.
static enum status number_is_free(struct publish *publish, struct err *err)
{
    struct file_info info;
    if (publish->source_gone) {
        enum status rc = publish->storage->ops->stat(
            publish->storage, path_str(&publish->source), &info, err);
        if (rc == ST_NOT_FOUND)
            return end_with(publish, PUBLISH_LOST);
        TRY(rc);
        publish->phase = PUBLISH_MKDIR;
        return ST_OK;
    }
    publish->phase = PUBLISH_LOOK;
    return ST_OK;
}

// The number is somebody else's: ours can never appear there. On to the next one.
static enum status number_is_taken(struct publish *publish, const struct entry *entry,
                                   struct err *err)
{
    TRY(log_state_apply(publish->state, entry, err));
    struct err ignored;
    if (!is_conflict(publish) &&
        publish->storage->ops->remove(publish->storage, path_str(&publish->source),
                                      &ignored) == ST_OK)
        publish->source = (struct path){0};
    publish->phase = PUBLISH_BUILD;
    return ST_OK;
}

static enum status step_read(struct publish *publish, struct err *err)
{
    struct arena arena AUTO(arena_release) = {0};
    struct entry entry;
    bool mine;
    enum status rc = publish_read_back(publish, &arena, &entry, &mine, err);
    if (rc == ST_NOT_FOUND)
        return number_is_free(publish, err);
    TRY(rc);
    return mine ? published(publish, err) : number_is_taken(publish, &entry, err);
}

enum status publish_step(struct publish *publish, struct err *err)
{
    switch (publish->phase) {
    case PUBLISH_BUILD:
        return step_build(publish, err);
    case PUBLISH_WRITE:
        return step_write(publish, err);
    case PUBLISH_CHECK:
        return step_check(publish, err);
    case PUBLISH_MKDIR:
        return step_mkdir(publish, err);
    case PUBLISH_LOOK:
        return step_look(publish, err);
    case PUBLISH_RENAME:
        return step_rename(publish, err);
    case PUBLISH_READ:
        return step_read(publish, err);
    case PUBLISH_END:
        break;
    }
    return ST_OK;
}

void publish_release(struct publish *publish)
{
    arena_release(&publish->arena);
    buf_release(&publish->bytes);
    *publish = (struct publish){0};
}
