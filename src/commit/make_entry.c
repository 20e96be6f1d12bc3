// SPDX-License-Identifier: Apache-2.0
#include "commit/make_entry.h"

#include "log/paths.h"

struct entry_stamp entry_stamp(struct env *env)
{
    struct entry_stamp stamp;
    env_uuid(env, stamp.attempt);
    stamp.time_ms = env->ops->wall_ms(env);
    return stamp;
}

void made_entry_release(struct made_entry *made)
{
    arena_release(&made->arena);
    buf_release(&made->bytes);
    *made = (struct made_entry){0};
}

static struct entry_file make_file(const struct entry_maker *maker,
                                   const struct publish_work *work, size_t index,
                                   struct made_entry *made)
{
    const struct entry_file *file = &work->unit->files[index];
    int64_t day_ms = maker->job->settings.directory_by_day ? made->entry.time_ms : -1;
    struct entry_file ret = *file;
    if (!maker->renames) {
        ret.name = file->tmp; // where it lies
        return ret;
    }
    struct path name = file->kind == FILE_DEAD ? path_dead(made->entry.number, index)
                                               : path_part(made->entry.number, index,
                                                           maker->job->extension, day_ms);
    ret.name = arena_str(&made->arena, path_str(&name));
    return ret;
}

static void add_work(const struct entry_maker *maker, const struct publish_work *work,
                     struct made_entry *made)
{
    struct entry *entry = &made->entry;
    const struct unit *unit = work->unit;
    entry->spans = arena_array(&made->arena, work->n_spans, sizeof(struct span));
    for (size_t i = 0; i < work->n_spans; i++)
        if (unit == NULL || work->spans[i].next > work->spans[i].first)
            entry->spans[entry->n_spans++] = work->spans[i];
    if (unit == NULL)
        return;
    if (work->replay != NULL)
        entry->replay = *work->replay;
    entry->dimension = unit->dimension;
    entry->topic_id = unit->topic_id;
    entry->rows = unit->rows;
    entry->matched = unit->matched;
    entry->first_batch_ms = unit->first_batch_ms;
    entry->last_batch_ms = unit->last_batch_ms;
    entry->files = arena_array(&made->arena, unit->n_files, sizeof(struct entry_file));
    for (size_t i = 0; i < unit->n_files; i++)
        entry->files[entry->n_files++] = make_file(maker, work, i, made);
}

enum status entry_make(const struct entry_maker *maker, const struct publish_work *work,
                       const struct entry_stamp *stamp, struct made_entry *ret,
                       struct err *err)
{
    const struct job *job = maker->job;
    const struct log_state *state = maker->state;
    arena_clear(&ret->arena);
    ret->entry = (struct entry){
        .number = state->next,
        .kind = work->kind,
        .writer = maker->writer,
        .attempt = arena_str(&ret->arena, str_of(stamp->attempt)),
        .worker = job->worker,
        .time_ms = stamp->time_ms,
        .job = job->identity,
        .plan = job->plan,
        .schema = job->schema,
        .format = job->format,
        .dimension = job->dimension,
    };
    if (work->kind == ENTRY_JOB || work->kind == ENTRY_CLAIM)
        ret->entry.script = job->script;
    memcpy(ret->entry.prev, state->last_checksum, SHA256_HEX);
    add_work(maker, work, ret);
    ret->entry.has_snapshot =
        state->next > 0 && state->next % job->settings.log_snapshot == 0;
    if (ret->entry.has_snapshot)
        ret->entry.snapshot = log_state_snapshot(state, &ret->arena);
    buf_clear(&ret->bytes);
    TRY(entry_encode(&ret->entry, &ret->bytes, err));
    return log_state_check(state, &ret->entry, err);
}
