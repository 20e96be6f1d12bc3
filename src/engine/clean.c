// SPDX-License-Identifier: Apache-2.0
#include "engine/clean.h"

#include "engine/log_read.h"
#include "engine/paths.h"

void clean_start(struct clean *clean)
{
    clean->n_kept = 0;
    clean->settle.number = 0;
}

enum status clean_step(struct clean *clean, struct storage *storage,
                       struct log_state *state, const char *self, bool *ret_done,
                       struct err *err)
{
    bool settled;
    *ret_done = clean->n_kept >= state->n_writers;
    if (*ret_done)
        return ST_OK;
    TRY(settle_step(&clean->settle, storage, state, &settled, err));
    if (!settled)
        return ST_OK;
    const char *writer = state->writers[clean->n_kept].uuid;
    if (strcmp(writer, self) == 0 || log_state_is_owner(state, writer)) {
        clean->n_kept++;
        return ST_OK;
    }
    struct path folder = path_writer(str_of(writer));
    enum status rc = storage->ops->remove(storage, path_str(&folder), err);
    if (rc != ST_OK && rc != ST_NOT_FOUND)
        return rc;
    log_state_forget_writer(state, clean->n_kept);
    return ST_OK;
}

void clean_release(struct clean *clean)
{
    settle_release(&clean->settle);
}

void retain_start(struct retain *retain, const struct log_state *state, int64_t before_ms)
{
    *retain = (struct retain){
        .n_buckets = bucket_of(state->removable),
        .before_ms = before_ms,
    };
    retain->oldest = bisect_start(retain->n_buckets);
}

static int64_t last_of(int64_t bucket)
{
    return bucket_first(bucket + 1) - 1;
}

static enum status step_oldest(struct retain *retain, struct storage *storage,
                               struct err *err)
{
    if (bisect_is_done(&retain->oldest)) {
        retain->bucket = retain->oldest.absent;
        retain->phase = RETAIN_AGE;
        return ST_OK;
    }
    struct path path = path_entry(last_of(bisect_question(&retain->oldest)));
    bool is_there;
    TRY(log_exists(storage, path_str(&path), &is_there, err));
    bisect_answer(&retain->oldest, !is_there);
    return ST_OK;
}

static enum status step_age(struct retain *retain, struct storage *storage,
                            struct err *err)
{
    retain->phase = RETAIN_END;
    if (retain->bucket >= retain->n_buckets)
        return ST_OK;
    struct arena arena AUTO(arena_release) = {0};
    struct entry newest;
    enum status rc = log_read(storage, last_of(retain->bucket), &arena, &newest, err);
    if (rc == ST_NOT_FOUND)
        return ST_OK; // another worker was here
    if (rc != ST_OK) {
        retain->phase = RETAIN_AGE;
        return rc;
    }
    if (newest.time_ms < retain->before_ms) {
        retain->n_removed = 0;
        retain->phase = RETAIN_REMOVE;
    }
    return ST_OK;
}

static enum status step_remove(struct retain *retain, struct storage *storage,
                               struct err *err)
{
    struct path path = path_entry(bucket_first(retain->bucket) + retain->n_removed);
    enum status rc = storage->ops->remove(storage, path_str(&path), err);
    if (rc != ST_OK && rc != ST_NOT_FOUND)
        return rc;
    if (++retain->n_removed == bucket_first(1)) {
        retain->bucket++;
        retain->phase = RETAIN_AGE;
    }
    return ST_OK;
}

enum status retain_step(struct retain *retain, struct storage *storage, struct err *err)
{
    switch (retain->phase) {
    case RETAIN_OLDEST:
        return step_oldest(retain, storage, err);
    case RETAIN_AGE:
        return step_age(retain, storage, err);
    case RETAIN_REMOVE:
        return step_remove(retain, storage, err);
    case RETAIN_END:
        break;
    }
    return ST_OK;
}
