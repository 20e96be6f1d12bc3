// SPDX-License-Identifier: Apache-2.0
#include "commit/clean.h"

#include "commit/renames.h"
#include "log/bisect.h"
#include "log/log_read.h"
#include "log/paths.h"

static enum status remove_path(struct storage *storage, const struct path *path,
                               struct err *err)
{
    enum status rc = storage->ops->remove(storage, path_str(path), err);
    return rc == ST_NOT_FOUND ? ST_OK : rc;
}

enum status clean_folders(struct patience *patience, struct log_state *state,
                          const char *self, struct err *err)
{
    TRY(rename_pending(patience, state, err));
    for (size_t i = 0; i < state->n_writers;) {
        const char *writer = state->writers[i].uuid;
        if (strcmp(writer, self) == 0 || log_state_is_owner(state, writer)) {
            i++;
            continue;
        }
        struct path folder = path_writer(str_of(writer));
        TRY(remove_path(&patience->storage, &folder, err));
        log_state_forget_writer(state, i);
    }
    return ST_OK;
}

static int64_t last_of(int64_t bucket)
{
    return bucket_first(bucket + 1) - 1;
}

// The first bucket whose newest entry is there, of so many.
static enum status find_oldest(struct storage *storage, int64_t n_buckets, int64_t *ret,
                               struct err *err)
{
    struct bisect bisect = bisect_start(n_buckets);
    while (!bisect_is_done(&bisect)) {
        struct path path = path_entry(last_of(bisect_question(&bisect)));
        bool is_there;
        TRY(log_exists(storage, path_str(&path), &is_there, err));
        bisect_answer(&bisect, !is_there);
    }
    *ret = bisect.absent;
    return ST_OK;
}

static enum status is_old(struct storage *storage, int64_t bucket, int64_t before_ms,
                          bool *ret, struct err *err)
{
    struct arena arena AUTO(arena_release) = {0};
    struct entry newest;
    *ret = false;
    enum status rc = log_read(storage, last_of(bucket), &arena, &newest, err);
    if (rc == ST_NOT_FOUND)
        return ST_OK; // another worker was here
    TRY(rc);
    *ret = newest.time_ms < before_ms;
    return ST_OK;
}

enum status clean_entries(struct storage *storage, const struct log_state *state,
                          int64_t before_ms, struct err *err)
{
    int64_t n_buckets = bucket_of(state->removable), bucket;
    TRY(find_oldest(storage, n_buckets, &bucket, err));
    for (; bucket < n_buckets; bucket++) {
        bool is_next;
        TRY(is_old(storage, bucket, before_ms, &is_next, err));
        if (!is_next)
            return ST_OK;
        for (int64_t n = bucket_first(bucket); n <= last_of(bucket); n++) {
            struct path path = path_entry(n);
            TRY(remove_path(storage, &path, err));
        }
    }
    return ST_OK;
}
