// SPDX-License-Identifier: Apache-2.0
// Encoding; log_entry_read.c has decoding and the checksum's place.
#include "log/log_entry.h"

#include <assert.h>
#include <inttypes.h>

#include "log/fields.h"

static const char zeros[SHA256_HEX] =
    "0000000000000000000000000000000000000000000000000000000000000000";

const char *entry_kind_name(enum entry_kind kind)
{
    static const char *const names[] = {"job", "claim", "commit", "replay"};
    return names[kind];
}

static json_t *progress_json(const struct progress *progress)
{
    json_t *object = json_object();
    put_number(object, "partition", progress->partition);
    put_number(object, "next", progress->next);
    put_text(object, "writer", progress->writer);
    put_mark(object, &progress->last);
    put_epoch(object, progress->epoch);
    return object;
}

// Options of one table after each other; a secret's value is null.
static void put_option(json_t *set, json_t *with, const struct script_option *option)
{
    AUTO(buf_release) struct buf name = {0};
    json_t *object = set;
    if (option->table.n > 0) {
        buf_str(&name, option->table);
        object = json_object_get(with, buf_cstr(&name));
        if (object == NULL) {
            object = json_object();
            json_object_set_new(with, buf_cstr(&name), object);
        }
    }
    buf_clear(&name);
    buf_str(&name, option->name);
    if (option->value.p == NULL)
        json_object_set_new(object, buf_cstr(&name), json_null());
    else
        put_text(object, buf_cstr(&name), option->value);
}

static json_t *script_json(const struct job_script *script)
{
    json_t *object = json_object(), *set = json_object(), *with = json_object();
    for (size_t i = 0; i < script->n_options; i++)
        put_option(set, with, &script->options[i]);
    put_text(object, "query", script->query);
    json_object_set_new(object, "set", set);
    json_object_set_new(object, "with", with);
    return object;
}

static json_t *kept_script_json(const struct job_script *script)
{
    json_t *object = script_json(script);
    put_number(object, "entry", script->entry);
    put_text(object, "plan", script->plan);
    return object;
}

static json_t *snapshot_json(const struct snapshot *snapshot)
{
    json_t *partitions = json_array();
    for (size_t i = 0; i < snapshot->n_partitions; i++)
        json_array_append_new(partitions, progress_json(&snapshot->partitions[i]));
    json_t *pending = json_array();
    for (size_t i = 0; i < snapshot->n_pending; i++)
        json_array_append_new(pending, json_integer(snapshot->pending[i]));
    json_t *writers = json_array();
    for (size_t i = 0; i < snapshot->n_writers; i++)
        json_array_append_new(writers, json_of_text(snapshot->writers[i]));
    json_t *object = json_object();
    json_object_set_new(object, "partitions", partitions);
    json_object_set_new(object, "pending", pending);
    json_object_set_new(object, "writers", writers);
    put_topic_id(object, snapshot->topic_id);
    if (snapshot->script.is_known)
        json_object_set_new(object, "script", kept_script_json(&snapshot->script));
    return object;
}

static json_t *identity_json(const struct job_identity *job)
{
    json_t *object = json_object();
    put_text(object, "cluster", job->cluster);
    put_text(object, "topic", job->topic);
    put_text(object, "group", job->group);
    put_text(object, "name", job->name);
    return object;
}

static json_t *format_json(const struct file_format *format)
{
    json_t *options = json_object();
    for (size_t i = 0; i < format->n_options; i++)
        put_text(options, format->options[i].name.p, format->options[i].value);
    json_t *object = json_object();
    put_text(object, "name", format->name);
    json_object_set_new(object, "options", options);
    return object;
}

static void set_identity(json_t *object, const struct entry *entry)
{
    put_number(object, "number", entry->number);
    put_text(object, "kind", str_of(entry_kind_name(entry->kind)));
    put_text(object, "writer", entry->writer);
    put_text(object, "attempt", entry->attempt);
    put_text(object, "worker", entry->worker);
    put_number(object, "time_ms", entry->time_ms);
    json_object_set_new(object, "job", identity_json(&entry->job));
    put_text(object, "plan", entry->plan);
    put_text(object, "schema", entry->schema);
    put_text(object, "dimension", entry->dimension);
    put_topic_id(object, entry->topic_id);
    if (entry->format.name.n > 0)
        json_object_set_new(object, "files_format", format_json(&entry->format));
    if (entry->script.is_known)
        json_object_set_new(object, "script", script_json(&entry->script));
}

static json_t *replay_json(const struct replay *replay)
{
    json_t *letters = json_array();
    for (size_t i = 0; i < replay->n_letters; i++) {
        const struct letter_range *range = &replay->letters[i];
        json_t *object = json_object();
        put_number(object, "entry", range->entry);
        put_number(object, "first", range->first);
        put_number(object, "count", range->count);
        json_array_append_new(letters, object);
    }
    json_t *object = json_object();
    json_object_set_new(object, "letters", letters);
    put_number(object, "records", replay->records);
    put_number(object, "ignored", replay->ignored);
    put_number(object, "rejected", replay->rejected);
    return object;
}

struct unit entry_unit(const struct entry *entry)
{
    return (struct unit){
        .writer = entry->writer,
        .dimension = entry->dimension,
        .topic_id = entry->topic_id,
        .spans = entry->spans,
        .n_spans = entry->n_spans,
        .rows = entry->rows,
        .matched = entry->matched,
        .first_batch_ms = entry->first_batch_ms,
        .last_batch_ms = entry->last_batch_ms,
        .files = entry->files,
        .n_files = entry->n_files,
    };
}

static void append_json(const struct entry *entry, struct buf *ret)
{
    json_t *object = json_object();
    put_number(object, "format", ENTRY_FORMAT);
    put_text(object, "checksum", str_of(zeros));
    put_text(object, "prev", str_of(entry->prev));
    set_identity(object, entry);
    struct unit unit = entry_unit(entry);
    put_work(object, &unit);
    if (entry->kind == ENTRY_REPLAY)
        json_object_set_new(object, "replay", replay_json(&entry->replay));
    if (entry->has_snapshot)
        json_object_set_new(object, "snapshot", snapshot_json(&entry->snapshot));
    fields_append(object, ret);
    json_decref(object);
}

// An entry that nobody can read would be the end of the log.
static enum status read_again(struct str bytes, int64_t number, struct err *err)
{
    AUTO(arena_release) struct arena arena = {0};
    struct entry again;
    if (bytes.n > ENTRY_BYTES_MAX)
        return err_set(err, ST_FAIL, "it takes %zu bytes, and %d are allowed", bytes.n,
                       ENTRY_BYTES_MAX);
    TRY(entry_decode(bytes, &arena, &again, err));
    return entry_check(&again, number, err);
}

enum status entry_encode(struct entry *entry, struct buf *ret, struct err *err)
{
    size_t from = ret->n;
    append_json(entry, ret);
    TRY(buf_check(ret, "entry", err));
    struct str bytes = {ret->p + from, ret->n - from};
    sha256_hex(bytes.p, bytes.n, entry->checksum);
    char *place = memmem(bytes.p, bytes.n, zeros, SHA256_HEX - 1);
    assert(place != NULL);
    memcpy(place, entry->checksum, SHA256_HEX - 1);
    if (read_again(bytes, entry->number, err) == ST_OK)
        return ST_OK;
    return err_context(err, ST_FAIL,
                       "entry %" PRId64 " is not published, since nobody could read it",
                       entry->number);
}
