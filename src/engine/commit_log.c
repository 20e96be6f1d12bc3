// SPDX-License-Identifier: Apache-2.0
#include "engine/commit_log.h"

#include <inttypes.h>
#include <stdlib.h>

#include "engine/log_read.h"
#include "engine/paths.h"

enum {
    BACK_ENTRIES_MAX = 10000 // ten times the longest log.snapshot
};
#define BACK_BYTES_MAX (1ULL << 30)        // of memory
#define BUCKETS_MAX    INT64_C(1000000000) // far beyond any log
#define WAY_OUT        "; tramline verify tells more"

void log_end_start(struct log_end *end)
{
    *end = (struct log_end){.bisect = bisect_start(-1)};
}

static struct path end_question(const struct log_end *end)
{
    int64_t index = bisect_question(&end->bisect);
    if (end->phase == END_BUCKETS)
        return path_bucket(index);
    return path_entry(bucket_first(end->bucket) + index);
}

static void end_next_phase(struct log_end *end)
{
    int64_t absent = end->bisect.absent;
    if (end->phase == END_ENTRIES) {
        end->number = bucket_first(end->bucket) + absent;
        end->phase = END_FOUND;
    } else if (absent == 0) {
        end->number = 0;
        end->phase = END_FOUND;
    } else {
        end->bucket = absent - 1;
        end->bisect = bisect_start(bucket_first(1));
        end->phase = END_ENTRIES;
    }
}

// A bucket whose first entry is not there yet needs no case of its own: the entry to come
// is that first one.
enum status log_end_step(struct log_end *end, struct storage *storage, struct err *err)
{
    if (bisect_is_done(&end->bisect)) {
        end_next_phase(end);
        return ST_OK;
    }
    if (end->phase == END_BUCKETS && bisect_question(&end->bisect) > BUCKETS_MAX)
        return err_set(
            err, ST_DATA,
            "%s: the commit log is damaged: it has directories of buckets that "
            "no entry can be in" WAY_OUT,
            storage->url);
    struct path path = end_question(end);
    bool is_there;
    TRY(log_exists(storage, path_str(&path), &is_there, err));
    bisect_answer(&end->bisect, is_there);
    return ST_OK;
}

void recovery_start(struct recovery *recovery, struct storage *storage,
                    struct log_state *state)
{
    recovery_release(recovery);
    *recovery = (struct recovery){.storage = storage, .state = state};
    if (state->next > 0)
        recovery->phase = RECOVERY_FORWARD;
    else
        log_end_start(&recovery->end);
}

static enum status step_end(struct recovery *recovery, struct err *err)
{
    TRY(log_end_step(&recovery->end, recovery->storage, err));
    if (recovery->end.phase == END_FOUND)
        recovery->phase = recovery->end.number ? RECOVERY_BACK : RECOVERY_FORWARD;
    return ST_OK;
}

static enum status apply_all(struct recovery *recovery, struct err *err)
{
    size_t n = recovery->n_entries;
    log_state_load(recovery->state, &recovery->entries[n - 1]);
    while (n--)
        TRY(log_state_apply(recovery->state, &recovery->entries[n], err));
    recovery->phase = RECOVERY_FORWARD;
    recovery->has_read = true;
    return ST_OK;
}

// Snapshots come every log.snapshot entries; without one the way would be as long as the
// log.
static enum status check_way_back(const struct recovery *recovery, struct err *err)
{
    if (recovery->n_entries < BACK_ENTRIES_MAX &&
        recovery->arena.n_bytes < BACK_BYTES_MAX)
        return ST_OK;
    return err_set(err, ST_DATA,
                   "%s: the commit log is damaged: the %zu entries before entry %" PRId64
                   " have no snapshot" WAY_OUT,
                   recovery->storage->url, recovery->n_entries, recovery->end.number);
}

static enum status step_back(struct recovery *recovery, struct err *err)
{
    int64_t number = recovery->end.number - 1 - (int64_t)recovery->n_entries;
    struct entry entry;
    enum status rc = log_read(recovery->storage, number, &recovery->arena, &entry, err);
    if (rc == ST_NOT_FOUND)
        return err_set(err, ST_DATA,
                       "%s: the commit log is damaged: entry %" PRId64
                       " is not there, entry %" PRId64 " is" WAY_OUT,
                       recovery->storage->url, number, number + 1);
    TRY(rc);
    TRY(check_way_back(recovery, err));
    MEM_GROW(recovery->entries, recovery->n_entries, recovery->entries_capacity);
    recovery->entries[recovery->n_entries++] = entry;
    if (entry.has_snapshot || number == 0)
        return apply_all(recovery, err);
    return ST_OK;
}

// There is no next entry. Where nothing was read either, the log may have been made anew
// since, or entries removed far beyond: then all of it is read.
static enum status step_at_end(struct recovery *recovery, bool *ret_done, struct err *err)
{
    *ret_done = true;
    if (!recovery->has_read)
        TRY(log_is_same(recovery->storage, recovery->state, ret_done, err));
    if (!*ret_done) {
        log_state_release(recovery->state);
        recovery_start(recovery, recovery->storage, recovery->state);
    }
    return ST_OK;
}

static enum status step_forward(struct recovery *recovery, bool *ret_done,
                                struct err *err)
{
    struct entry entry;
    arena_clear(&recovery->arena);
    enum status rc =
        log_read(recovery->storage, recovery->state->next, &recovery->arena, &entry, err);
    if (rc == ST_NOT_FOUND)
        return step_at_end(recovery, ret_done, err);
    TRY(rc);
    recovery->has_read = true;
    return log_state_apply(recovery->state, &entry, err);
}

enum status recovery_step(struct recovery *recovery, bool *ret_done, struct err *err)
{
    *ret_done = false;
    switch (recovery->phase) {
    case RECOVERY_END:
        return step_end(recovery, err);
    case RECOVERY_BACK:
        return step_back(recovery, err);
    case RECOVERY_FORWARD:
        break;
    }
    return step_forward(recovery, ret_done, err);
}

void recovery_release(struct recovery *recovery)
{
    free(recovery->entries);
    arena_release(&recovery->arena);
    *recovery = (struct recovery){0};
}
