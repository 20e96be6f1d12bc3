// SPDX-License-Identifier: Apache-2.0
#include "log/commit_log.h"

#include <inttypes.h>
#include <stdlib.h>

#include "log/bisect.h"
#include "log/log_read.h"
#include "log/paths.h"

enum {
    BACK_ENTRIES_MAX = 10000 // ten times the longest log.snapshot
};
#define BACK_BYTES_MAX (1ULL << 30)        // of memory
#define BUCKETS_MAX    INT64_C(1000000000) // far beyond any log
#define WAY_OUT        "; tramline verify tells more"

// The first bucket that is not there.
static enum status find_bucket(struct storage *storage, int64_t *ret, struct err *err)
{
    struct bisect bisect = bisect_start(-1);
    while (!bisect_is_done(&bisect)) {
        if (bisect_question(&bisect) > BUCKETS_MAX)
            return err_set(err, ST_DATA,
                           "%s: the commit log is damaged: it has directories of buckets "
                           "that no entry can be in" WAY_OUT,
                           storage->url);
        struct path path = path_bucket(bisect_question(&bisect));
        bool is_there;
        TRY(log_exists(storage, path_str(&path), &is_there, err));
        bisect_answer(&bisect, is_there);
    }
    *ret = bisect.absent;
    return ST_OK;
}

// A last bucket whose first entry is not there yet needs no case of its own: the entry to
// come is that first one.
enum status log_find_end(struct storage *storage, int64_t *ret, struct err *err)
{
    int64_t n_buckets = 0;
    TRY(find_bucket(storage, &n_buckets, err));
    *ret = 0;
    if (n_buckets == 0)
        return ST_OK;
    int64_t first = bucket_first(n_buckets - 1);
    struct bisect bisect = bisect_start(bucket_first(1));
    while (!bisect_is_done(&bisect)) {
        struct path path = path_entry(first + bisect_question(&bisect));
        bool is_there;
        TRY(log_exists(storage, path_str(&path), &is_there, err));
        bisect_answer(&bisect, is_there);
    }
    *ret = first + bisect.absent;
    return ST_OK;
}

// Entries on the way back, newest first.
struct way {
    struct arena arena;
    struct entry *entries;
    size_t n, capacity;
};

static void way_release(struct way *way)
{
    free(way->entries);
    arena_release(&way->arena);
}

// Snapshots come every log.snapshot entries; without one the way would be as long as the
// log.
static enum status check_way(const struct storage *storage, const struct way *way,
                             int64_t end, struct err *err)
{
    if (way->n < BACK_ENTRIES_MAX && way->arena.n_bytes < BACK_BYTES_MAX)
        return ST_OK;
    return err_set(err, ST_DATA,
                   "%s: the commit log is damaged: the %zu entries before entry %" PRId64
                   " have no snapshot" WAY_OUT,
                   storage->url, way->n, end);
}

static enum status walk_back(struct storage *storage, int64_t end, struct way *way,
                             struct err *err)
{
    struct entry entry = {0};
    for (int64_t number = end - 1; number >= 0 && !entry.has_snapshot; number--) {
        enum status rc = log_read(storage, number, &way->arena, &entry, err);
        if (rc == ST_NOT_FOUND)
            return err_set(err, ST_DATA,
                           "%s: the commit log is damaged: entry %" PRId64
                           " is not there, entry %" PRId64 " is" WAY_OUT,
                           storage->url, number, number + 1);
        TRY(rc);
        TRY(check_way(storage, way, end, err));
        MEM_GROW(way->entries, way->n, way->capacity);
        way->entries[way->n++] = entry;
    }
    return ST_OK;
}

// Up to an end that was found; there is an entry before it.
static enum status load(struct storage *storage, struct log_state *state, int64_t end,
                        struct err *err)
{
    struct way way AUTO(way_release) = {0};
    TRY(walk_back(storage, end, &way, err));
    log_state_load(state, &way.entries[way.n - 1]);
    while (way.n--)
        TRY(log_state_apply(state, &way.entries[way.n], err));
    return ST_OK;
}

static enum status read_on(struct storage *storage, struct log_state *state,
                           struct err *err)
{
    for (;;) {
        struct arena arena AUTO(arena_release) = {0};
        struct entry entry;
        enum status rc = log_read(storage, state->next, &arena, &entry, err);
        if (rc == ST_NOT_FOUND)
            return ST_OK;
        TRY(rc);
        TRY(log_state_apply(state, &entry, err));
    }
}

// Where nothing new was read the log may have been recreated since, or entries removed
// far beyond: then all of it is read.
enum status log_recover(struct storage *storage, struct log_state *state, struct err *err)
{
    for (;;) {
        int64_t before = state->next, end = 0;
        if (before == 0)
            TRY(log_find_end(storage, &end, err));
        if (end > 0)
            TRY(load(storage, state, end, err));
        TRY(read_on(storage, state, err));
        bool is_same = true;
        if (state->next == before)
            TRY(log_is_same(storage, state, &is_same, err));
        if (is_same)
            return ST_OK;
        log_state_release(state);
    }
}
