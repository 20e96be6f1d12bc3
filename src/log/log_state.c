// SPDX-License-Identifier: Apache-2.0
#include "log/log_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "log/partitions.h"

static void copy_topic_id(struct log_state *state, struct str id)
{
    if (id.n > 0)
        snprintf(state->topic_id, sizeof(state->topic_id), "%.*s", STR_ARGS(id));
}

static void copy_uuid(char to[UUID_TEXT], struct str from)
{
    snprintf(to, UUID_TEXT, "%.*s", STR_ARGS(from));
}

void log_state_release(struct log_state *state)
{
    free(state->partitions);
    free(state->pending);
    free(state->writers);
    arena_release(&state->about);
    arena_release(&state->about_script);
    *state = (struct log_state){0};
}

static size_t place_of(const struct log_state *state, int32_t partition)
{
    return partitions_place(state->partitions, state->n_partitions,
                            sizeof(*state->partitions), partition);
}

struct log_partition *log_state_find(const struct log_state *state, int32_t partition)
{
    size_t i = place_of(state, partition);
    bool found = i < state->n_partitions && state->partitions[i].partition == partition;
    return found ? &state->partitions[i] : NULL;
}

static struct log_partition *add_partition(struct log_state *state, int32_t partition)
{
    size_t i = place_of(state, partition);
    MEM_GROW(state->partitions, state->n_partitions, state->partitions_capacity);
    memmove(state->partitions + i + 1, state->partitions + i,
            (state->n_partitions++ - i) * sizeof(*state->partitions));
    state->partitions[i] =
        (struct log_partition){.partition = partition, .last = {.offset = -1}};
    return &state->partitions[i];
}

static void add_pending(struct log_state *state, int64_t number)
{
    MEM_GROW(state->pending, state->n_pending, state->pending_capacity);
    state->pending[state->n_pending++] = number;
}

void log_state_renamed(struct log_state *state, int64_t number)
{
    size_t kept = 0;
    for (size_t i = 0; i < state->n_pending; i++)
        if (state->pending[i] != number)
            state->pending[kept++] = state->pending[i];
    state->n_pending = kept;
}

static void append_writer(struct log_state *state, struct str writer)
{
    MEM_GROW(state->writers, state->n_writers, state->writers_capacity);
    copy_uuid(state->writers[state->n_writers++].uuid, writer);
}

static void add_writer(struct log_state *state, struct str writer)
{
    for (size_t i = 0; i < state->n_writers; i++)
        if (str_is(writer, state->writers[i].uuid))
            return;
    append_writer(state, writer);
}

void log_state_forget_writer(struct log_state *state, size_t index)
{
    state->n_writers--;
    memmove(state->writers + index, state->writers + index + 1,
            (state->n_writers - index) * sizeof(*state->writers));
}

bool log_state_is_claimed_by(const struct log_partition *partition, const char *writer)
{
    return strcmp(partition->writer, writer) == 0;
}

bool log_state_is_owner(const struct log_state *state, const char *writer)
{
    for (size_t i = 0; i < state->n_partitions; i++)
        if (log_state_is_claimed_by(&state->partitions[i], writer))
            return true;
    return false;
}

static void keep_script(struct log_state *state, const struct job_script *script)
{
    arena_clear(&state->about_script);
    state->script = job_script_copy(&state->about_script, script);
}

static void load_snapshot(struct log_state *state, const struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->n_partitions; i++) {
        const struct progress *progress = &snapshot->partitions[i];
        struct log_partition *partition = add_partition(state, progress->partition);
        partition->next = progress->next;
        partition->touched = state->next - 1;
        partition->last = progress->last;
        partition->epoch = progress->epoch;
        copy_uuid(partition->writer, progress->writer);
    }
    for (size_t i = 0; i < snapshot->n_pending; i++)
        add_pending(state, snapshot->pending[i]);
    for (size_t i = 0; i < snapshot->n_writers; i++)
        append_writer(state, snapshot->writers[i]);
    copy_topic_id(state, snapshot->topic_id);
    keep_script(state, &snapshot->script);
}

void log_state_load(struct log_state *state, const struct entry *entry)
{
    log_state_release(state);
    state->next = entry->number;
    memcpy(state->last_checksum, entry->prev, SHA256_HEX);
    if (entry->has_snapshot)
        load_snapshot(state, &entry->snapshot);
}

static struct job_identity copy_identity(struct arena *arena,
                                         const struct job_identity *job)
{
    return (struct job_identity){
        .cluster = arena_str(arena, job->cluster),
        .topic = arena_str(arena, job->topic),
        .group = arena_str(arena, job->group),
        .name = arena_str(arena, job->name),
    };
}

static void *copy_items(const void *items, size_t n, size_t item_bytes)
{
    void *copy = mem_array(n + 1, item_bytes);
    if (n > 0)
        memcpy(copy, items, n * item_bytes);
    return copy;
}

void log_state_copy(const struct log_state *state, struct log_state *ret)
{
    struct arena *about = &ret->about;
    *ret = *state;
    ret->partitions =
        copy_items(state->partitions, state->n_partitions, sizeof(*state->partitions));
    ret->pending = copy_items(state->pending, state->n_pending, sizeof(*state->pending));
    ret->writers = copy_items(state->writers, state->n_writers, sizeof(*state->writers));
    ret->partitions_capacity = state->n_partitions + 1;
    ret->pending_capacity = state->n_pending + 1;
    ret->writers_capacity = state->n_writers + 1;
    ret->about = ret->about_script = (struct arena){0};
    ret->job = copy_identity(about, &state->job);
    ret->schema = arena_str(about, state->schema);
    ret->format = file_format_copy(about, &state->format);
    ret->plan = arena_str(about, state->plan);
    ret->script = job_script_copy(&ret->about_script, &state->script);
}

#define WAY_OUT "; tramline verify tells more"

static enum status damaged(const struct entry *entry, struct err *err, const char *why)
{
    return err_set(err, ST_DATA,
                   "the commit log is damaged: entry %" PRId64 " %s" WAY_OUT,
                   entry->number, why);
}

static enum status check_span(const struct log_state *state, const struct entry *entry,
                              const struct span *span, struct err *err)
{
    const struct log_partition *partition = log_state_find(state, span->partition);
    if (partition != NULL && partition->next != span->first)
        return err_set(err, ST_DATA,
                       "the commit log is damaged: entry %" PRId64
                       " begins partition %d at %" PRId64 ", the entries before it end "
                       "at %" PRId64 WAY_OUT,
                       entry->number, span->partition, span->first, partition->next);
    return span_adds_up(span) ? ST_OK
                              : damaged(entry, err, "has offsets that do not add up");
}

// A job and a claim move nothing and bring nothing; a replay brings, and moves nothing.
static enum status check_kind(const struct entry *entry, struct err *err)
{
    bool moves = entry->n_files > 0 && entry->kind != ENTRY_REPLAY;
    if (entry->kind == ENTRY_REPLAY && entry->n_spans > 0)
        return damaged(entry, err, "is a replay and has partitions all the same");
    for (size_t i = 0; i < entry->n_spans; i++)
        moves |= entry->spans[i].next != entry->spans[i].first;
    if (entry->kind != ENTRY_COMMIT && moves)
        return damaged(entry, err, "has data and is not a commit");
    if ((entry->kind == ENTRY_JOB) != (entry->number == 0))
        return damaged(entry, err, "is of a kind that does not stand there");
    return ST_OK;
}

static enum status check_topic(const struct log_state *state, const struct entry *entry,
                               struct err *err)
{
    enum status rc = log_state_check_topic(state, entry->job.topic, entry->topic_id, err);
    return rc == ST_OK ? rc : err_context(err, rc, "entry %" PRId64, entry->number);
}

static enum status check_rows(const struct entry *entry, struct err *err)
{
    int64_t rows = 0, dead = 0, rejected = entry->replay.rejected;
    for (size_t i = 0; i < entry->n_files; i++)
        *(entry->files[i].kind == FILE_DATA ? &rows : &dead) += entry->files[i].rows;
    for (size_t i = 0; i < entry->n_spans; i++)
        rejected += entry->spans[i].rejected;
    if (rows != entry->rows || dead != rejected)
        return damaged(entry, err, "has other rows than its files");
    return ST_OK;
}

enum status log_state_check(const struct log_state *state, const struct entry *entry,
                            struct err *err)
{
    if (entry->number != state->next)
        return damaged(entry, err, "stands at the place of another one");
    if (strcmp(entry->prev, state->last_checksum) != 0)
        return damaged(entry, err, "does not follow on the entry before it");
    for (size_t i = 0; i < entry->n_spans; i++)
        TRY(check_span(state, entry, &entry->spans[i], err));
    TRY(check_kind(entry, err));
    TRY(check_topic(state, entry, err));
    return check_rows(entry, err);
}

static void apply_span(struct log_state *state, const struct entry *entry,
                       const struct span *span)
{
    struct log_partition *partition = log_state_find(state, span->partition);
    if (partition == NULL)
        partition = add_partition(state, span->partition);
    if (span->next > span->first)
        partition->epoch = span->epoch;
    partition->next = span->next;
    partition->touched = entry->number;
    if (span->last.offset >= 0)
        partition->last = span->last;
    if (entry->kind != ENTRY_JOB)
        copy_uuid(partition->writer, entry->writer);
}

static void keep_about(struct log_state *state, const struct entry *entry)
{
    arena_clear(&state->about);
    state->job = copy_identity(&state->about, &entry->job);
    state->schema = arena_str(&state->about, entry->schema);
    state->format = file_format_copy(&state->about, &entry->format);
    state->plan = arena_str(&state->about, entry->plan);
}

// An older program tells none: then it is not known what it ran with.
static void take_script(struct log_state *state, const struct entry *entry)
{
    struct job_script script = entry->script;
    if (entry->kind != ENTRY_JOB && entry->kind != ENTRY_CLAIM)
        return;
    script.entry = entry->number;
    script.plan = entry->plan;
    keep_script(state, &script);
}

int64_t entry_removable(const struct entry *entry)
{
    const struct snapshot *snapshot = &entry->snapshot;
    return snapshot->n_pending ? snapshot->pending[0] : entry->number;
}

enum status log_state_apply(struct log_state *state, const struct entry *entry,
                            struct err *err)
{
    TRY(log_state_check(state, entry, err));
    for (size_t i = 0; i < entry->n_spans; i++)
        apply_span(state, entry, &entry->spans[i]);
    if (entry->kind != ENTRY_JOB)
        add_writer(state, entry->writer);
    if (entry->n_files)
        add_pending(state, entry->number);
    if (entry->kind == ENTRY_REPLAY)
        state->last_replay = entry->number;
    if (entry->has_snapshot)
        state->removable = entry_removable(entry);
    copy_topic_id(state, entry->topic_id);
    keep_about(state, entry);
    take_script(state, entry);
    memcpy(state->last_checksum, entry->checksum, SHA256_HEX);
    state->next = entry->number + 1;
    return ST_OK;
}

struct progress *log_state_progress(const struct log_state *state, struct arena *arena)
{
    struct progress *all =
        arena_array(arena, state->n_partitions, sizeof(struct progress));
    for (size_t i = 0; i < state->n_partitions; i++)
        all[i] = (struct progress){
            .partition = state->partitions[i].partition,
            .next = state->partitions[i].next,
            .writer = arena_str(arena, str_of(state->partitions[i].writer)),
            .last = state->partitions[i].last,
            .epoch = state->partitions[i].epoch,
        };
    return all;
}

struct snapshot log_state_snapshot(const struct log_state *state, struct arena *arena)
{
    struct snapshot snapshot = {
        .partitions = log_state_progress(state, arena),
        .n_partitions = state->n_partitions,
        .pending = arena_array(arena, state->n_pending, sizeof(int64_t)),
        .n_pending = state->n_pending,
        .writers = arena_array(arena, state->n_writers, sizeof(struct str)),
        .n_writers = state->n_writers,
    };
    for (size_t i = 0; i < state->n_pending; i++)
        snapshot.pending[i] = state->pending[i];
    for (size_t i = 0; i < state->n_writers; i++)
        snapshot.writers[i] = arena_str(arena, str_of(state->writers[i].uuid));
    snapshot.topic_id = arena_str(arena, str_of(state->topic_id));
    snapshot.script = job_script_copy(arena, &state->script);
    return snapshot;
}
