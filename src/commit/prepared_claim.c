// SPDX-License-Identifier: Apache-2.0
#include "commit/prepared_claim.h"

#include <stdlib.h>

#include "log/commit_log.h"

enum status prepared_claim_read(struct prepared_claim *prepared, const struct job *job,
                                struct storage *storage, struct err *err)
{
    enum status rc = log_recover(storage, &prepared->log, err);
    if (rc == ST_OK)
        rc = log_state_check_job(&prepared->log, job, storage->url, err);
    if (rc != ST_OK)
        log_state_release(&prepared->log);
    return rc;
}

// The entry that comes next, which is then part of the tip.
static enum status make_one(const struct prepared_claim *prepared, const struct job *job,
                            struct publish_work work, struct log_state *tip,
                            struct env *env, struct prepared_entry **ret, struct err *err)
{
    const struct entry_maker maker = {
        .job = job, .state = tip, .writer = str_of(prepared->writer), .renames = true};
    enum status rc =
        prepared_make(&maker, &work, str_of(prepared->folder), env, ret, err);
    free((struct span *)work.spans);
    TRY(rc);
    return log_state_apply(tip, &(*ret)->made.entry, err);
}

// Where all partitions begin, for entry 0.
static enum status find_origins(const struct job *job, struct topic *topic,
                                struct arena *arena, struct stream_start **ret,
                                size_t *ret_n, struct err *err)
{
    int32_t n;
    TRY(topic->ops->count(topic, &n, err));
    *ret_n = (size_t)n;
    *ret = arena_array(arena, *ret_n, sizeof(**ret));
    for (int32_t i = 0; i < n; i++) {
        struct stream_start *start = &(*ret)[i];
        start->partition = i;
        TRY(claim_origin(&job->settings, topic, i, &start->offset, err));
    }
    return ST_OK;
}

static struct stream_start *starts_of(const struct log_state *log, struct arena *arena)
{
    struct stream_start *starts =
        arena_array(arena, log->n_partitions, sizeof(struct stream_start));
    for (size_t i = 0; i < log->n_partitions; i++)
        starts[i] = (struct stream_start){.partition = log->partitions[i].partition,
                                          .offset = log->partitions[i].next};
    return starts;
}

static enum status make_all(struct prepared_claim *prepared, const struct job *job,
                            struct topic *topic, struct log_state *tip, struct env *env,
                            struct err *err)
{
    AUTO(arena_release) struct arena arena = {0};
    struct stream_start *starts;
    size_t n = tip->n_partitions;
    if (tip->next == 0) {
        TRY(find_origins(job, topic, &arena, &starts, &n, err));
        TRY(make_one(prepared, job, claim_work(ENTRY_JOB, starts, n, 0), tip, env,
                     &prepared->job, err));
    } else {
        starts = starts_of(tip, &arena);
    }
    return make_one(prepared, job, claim_work(ENTRY_CLAIM, starts, n, 0), tip, env,
                    &prepared->claim, err);
}

static void forget(struct prepared_claim *prepared)
{
    prepared_free(prepared->job);
    prepared_free(prepared->claim);
    prepared->job = prepared->claim = NULL;
    prepared->writer[0] = '\0';
}

enum status prepared_claim_make(struct prepared_claim *prepared, const struct job *job,
                                struct topic *topic, struct env *env, struct err *err)
{
    if (prepared->folder[0] == '\0' || !prepared_claim_is_likely(&prepared->log))
        return ST_OK;
    struct log_state tip;
    log_state_copy(&prepared->log, &tip);
    env_uuid(env, prepared->writer);
    enum status rc = make_all(prepared, job, topic, &tip, env, err);
    log_state_release(&tip);
    if (rc != ST_OK)
        forget(prepared);
    prepared->has_files = prepared->claim != NULL; // from here on
    return rc;
}

enum status prepared_entry_write(struct prepared_entry *entry, struct storage *storage,
                                 struct err *err)
{
    struct str bytes = buf_as_str(&entry->made.bytes);
    TRY(storage_write_bytes(storage, path_str(&entry->source), bytes, err));
    TRY(entry_check_written(storage, &entry->source, bytes, err));
    entry->is_written = true;
    return ST_OK;
}

bool prepared_claim_is_old(const struct prepared_claim *prepared, int64_t wall_ms)
{
    const struct prepared_entry *claim = prepared->claim;
    return claim != NULL && prepared_is_old(claim, wall_ms);
}

enum status prepared_claim_remove(struct prepared_claim *prepared,
                                  struct storage *storage, struct err *err)
{
    struct path folder = path_writer(str_of(prepared->folder));
    enum status rc = storage->ops->remove(storage, path_str(&folder), err);
    if (rc != ST_OK && rc != ST_NOT_FOUND)
        return rc;
    prepared->has_files = false;
    return ST_OK;
}

void prepared_claim_release(struct prepared_claim *prepared)
{
    log_state_release(&prepared->log);
    forget(prepared);
}
