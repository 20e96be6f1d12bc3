// SPDX-License-Identifier: Apache-2.0
#include "commit/forecast.h"

#include <stdlib.h>

enum {
    OLD_MS = 60000 // an entry's time is about when it was published
};

void forecast_release(struct forecast *forecast)
{
    log_state_release(&forecast->log);
    log_state_release(&forecast->tip);
    *forecast = (struct forecast){0};
}

void forecast_rewind(struct forecast *forecast)
{
    log_state_release(&forecast->tip);
    log_state_copy(&forecast->log, &forecast->tip);
}

void forecast_tell(struct forecast *forecast, struct log_state *log)
{
    log_state_release(&forecast->log);
    forecast->log = *log;
    *log = (struct log_state){0};
    forecast->is_known = true;
    forecast_rewind(forecast);
}

// The committer has renamed its files before it comes to the next.
static bool apply(struct log_state *state, const struct prepared_entry *prepared)
{
    const struct entry *entry = &prepared->made.entry;
    struct err ignored;
    if (log_state_apply(state, entry, &ignored) != ST_OK)
        return false;
    log_state_renamed(state, entry->number);
    return true;
}

bool forecast_add(struct forecast *forecast, const struct prepared_entry *prepared)
{
    return forecast->is_known && apply(&forecast->tip, prepared);
}

void forecast_publish(struct forecast *forecast, const struct prepared_entry *prepared)
{
    forecast->is_known &= prepared != NULL && apply(&forecast->log, prepared);
}

enum status prepared_make(const struct entry_maker *maker,
                          const struct publish_work *work, struct str folder,
                          struct env *env, struct prepared_entry **ret, struct err *err)
{
    struct prepared_entry *prepared = mem_zalloc(sizeof(*prepared));
    const struct entry_stamp stamp = entry_stamp(env);
    char uuid[UUID_TEXT];
    env_uuid(env, uuid);
    prepared->source = path_tmp(folder, uuid);
    enum status rc = entry_make(maker, work, &stamp, &prepared->made, err);
    if (rc == ST_OK)
        *ret = prepared;
    else
        prepared_free(prepared);
    return rc;
}

struct prepared_entry *forecast_make(struct forecast *forecast, const struct job *job,
                                     struct env *env, const struct unit *unit)
{
    const struct publish_work work = {.kind = ENTRY_COMMIT,
                                      .spans = unit->spans,
                                      .n_spans = unit->n_spans,
                                      .unit = unit};
    const struct entry_maker maker = {
        .job = job, .state = &forecast->tip, .writer = unit->writer, .renames = true};
    struct err ignored;
    struct prepared_entry *prepared;
    if (!forecast->is_known || !forecast_is_alone(forecast, unit->writer) ||
        prepared_make(&maker, &work, unit->writer, env, &prepared, &ignored) != ST_OK)
        return NULL;
    if (forecast_add(forecast, prepared))
        return prepared;
    prepared_free(prepared);
    return NULL;
}

bool prepared_is_old(const struct prepared_entry *prepared, int64_t wall_ms)
{
    int64_t age_ms = wall_ms - prepared->made.entry.time_ms;
    return age_ms < 0 || age_ms > OLD_MS;
}

bool prepared_is_last(const struct prepared_entry *prepared, const struct log_state *log)
{
    return prepared != NULL && log->next == prepared->made.entry.number + 1 &&
           strcmp(log->last_checksum, prepared->made.entry.checksum) == 0;
}

void prepared_free(struct prepared_entry *prepared)
{
    if (prepared == NULL)
        return;
    made_entry_release(&prepared->made);
    free(prepared);
}

enum status entry_check_written(struct storage *storage, const struct path *path,
                                struct str bytes, struct err *err)
{
    struct buf read AUTO(buf_release) = {0};
    TRY(storage_read_all(storage, path_str(path), ENTRY_BYTES_MAX, &read, err));
    if (str_eq(buf_as_str(&read), bytes))
        return ST_OK;
    return err_set(err, ST_RETRY,
                   "%s/%s: the storage does not hold the %zu bytes sent to it",
                   storage->url, path->text, bytes.n);
}
