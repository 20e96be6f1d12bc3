// SPDX-License-Identifier: Apache-2.0
#include "commit/publish.h"

#include <inttypes.h>

#include "commit/replay.h"
#include "log/log_read.h"

// What nobody could read, or apply, would be the end of the log: it ends the job instead.
static enum status make_entry(struct publish *publish, struct err *err)
{
    const struct entry_maker maker = {
        .job = publish->job,
        .state = publish->state,
        .writer = str_of(publish->writer),
        .renames = publish->patience->storage.renames,
    };
    publish->is_written = publish_takes_prepared(publish, &maker);
    if (publish->is_written)
        return ST_OK;
    const struct entry_stamp stamp = entry_stamp(publish->patience->parts.env);
    return entry_make(&maker, publish->work, &stamp, &publish->made, err);
}

// A name whose write went wrong may hold anything: each try has a new one.
static enum status write_source(struct publish *publish, struct err *err)
{
    struct storage *storage = &publish->patience->storage;
    enum status rc;
    if (!storage->renames || publish->is_written)
        return ST_OK; // the entry is made at its place, or lies there already
    do {
        char uuid[UUID_TEXT];
        env_uuid(publish->patience->parts.env, uuid);
        struct path source = path_tmp(str_of(publish->writer), uuid);
        struct str bytes = buf_as_str(&publish->made.bytes);
        rc = storage_write_bytes(storage, path_str(&source), bytes, err);
        if (rc == ST_OK) {
            publish->source = source;
            rc = entry_check_written(storage, &source, bytes, err);
        }
    } while (patience_again(publish->patience, &rc, err));
    return rc;
}

static enum status make_bucket(struct publish *publish, struct err *err)
{
    struct storage *storage = &publish->patience->storage;
    int64_t bucket = bucket_of(publish->made.entry.number);
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
    struct path target = path_entry(publish->made.entry.number);
    if (storage->renames)
        return storage->ops->publish(storage, path_str(&publish->source),
                                     path_str(&target), err);
    return storage->ops->create_exclusive(storage, path_str(&target), (struct str){0},
                                          buf_as_str(&publish->made.bytes), err);
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
    TRY(log_read(&publish->patience->storage, publish->made.entry.number, arena, ret,
                 err));
    *ret_mine = str_eq(ret->writer, publish->made.entry.writer) &&
                str_eq(ret->attempt, publish->made.entry.attempt);
    return ST_OK;
}

static enum status published(struct publish *publish, enum publish_outcome *ret,
                             struct err *err)
{
    *ret = PUBLISH_DONE;
    return log_state_apply(publish->state, &publish->made.entry, err);
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
    if (publish->source.text[0] && !publish_is_conflict(publish) &&
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
    if (publish_is_conflict(publish))
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
    int n_taken = 0;
    publish->work = work;
    publish->prepared = work->prepared;
    publish->source = (struct path){0};
    publish->made.entry = (struct entry){0};
    buf_clear(&publish->made.bytes);
    do {
        patience_attempt(publish->patience);
        rc = try_number(publish, ret, &is_next, err);
        patience_attempt_end(publish->patience);
        if (rc == ST_OK && is_next)
            rc = replay_check_numbers(publish, ++n_taken, err);
    } while (rc == ST_OK && is_next);
    return rc;
}

void publish_release(struct publish *publish)
{
    made_entry_release(&publish->made);
    *publish = (struct publish){0};
}
