// SPDX-License-Identifier: Apache-2.0
// Encoding; log_entry_read.c has decoding and the checksum's place.
#include "log/log_entry.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

static const char zeros[SHA256_HEX] =
    "0000000000000000000000000000000000000000000000000000000000000000";

const char *entry_kind_name(enum entry_kind kind)
{
    static const char *const names[] = {"job", "claim", "commit"};
    return names[kind];
}

// A text that is not UTF-8 becomes null, which no reader takes.
static json_t *json_of_text(struct str text)
{
    json_t *json = json_stringn(text.p ? text.p : "", text.n);
    return json ? json : json_null();
}

static void set_text(json_t *object, const char *key, struct str text)
{
    json_object_set_new(object, key, json_of_text(text));
}

static void set_number(json_t *object, const char *key, int64_t number)
{
    json_object_set_new(object, key, json_integer(number));
}

static json_t *mark_json(const struct record_mark *mark)
{
    char crc[9];
    snprintf(crc, sizeof(crc), "%08" PRIx32, mark->crc32c);
    json_t *object = json_object();
    set_number(object, "offset", mark->offset);
    set_number(object, "time_ms", mark->time_ms);
    set_text(object, "crc32c", str_of(crc));
    return object;
}

static void set_mark(json_t *object, const struct record_mark *mark)
{
    if (mark->offset >= 0)
        json_object_set_new(object, "last", mark_json(mark));
}

static json_t *span_json(const struct span *span)
{
    json_t *object = json_object();
    set_number(object, "partition", span->partition);
    set_number(object, "first", span->first);
    set_number(object, "next", span->next);
    set_number(object, "data", span->data);
    set_number(object, "skipped", span->skipped);
    set_number(object, "gap", span->gap);
    set_number(object, "ignored", span->ignored);
    set_number(object, "rejected", span->rejected);
    set_mark(object, &span->last);
    return object;
}

static json_t *file_json(const struct entry_file *file)
{
    json_t *object = json_object();
    set_text(object, "kind", str_of(file->kind == FILE_DEAD ? "dead" : "data"));
    set_text(object, "tmp", file->tmp);
    set_text(object, "name", file->name);
    set_number(object, "rows", file->rows);
    set_number(object, "bytes", file->bytes);
    set_text(object, "checksum", str_of(file->checksum.hex));
    return object;
}

static json_t *progress_json(const struct progress *progress)
{
    json_t *object = json_object();
    set_number(object, "partition", progress->partition);
    set_number(object, "next", progress->next);
    set_text(object, "writer", progress->writer);
    set_mark(object, &progress->last);
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
    return object;
}

static json_t *identity_json(const struct job_identity *job)
{
    json_t *object = json_object();
    set_text(object, "cluster", job->cluster);
    set_text(object, "topic", job->topic);
    set_text(object, "group", job->group);
    set_text(object, "name", job->name);
    return object;
}

static json_t *format_json(const struct file_format *format)
{
    json_t *options = json_object();
    for (size_t i = 0; i < format->n_options; i++)
        set_text(options, format->options[i].name.p, format->options[i].value);
    json_t *object = json_object();
    set_text(object, "name", format->name);
    json_object_set_new(object, "options", options);
    return object;
}

static void set_identity(json_t *object, const struct entry *entry)
{
    set_number(object, "number", entry->number);
    set_text(object, "kind", str_of(entry_kind_name(entry->kind)));
    set_text(object, "writer", entry->writer);
    set_text(object, "attempt", entry->attempt);
    set_text(object, "worker", entry->worker);
    set_number(object, "time_ms", entry->time_ms);
    json_object_set_new(object, "job", identity_json(&entry->job));
    set_text(object, "plan", entry->plan);
    set_text(object, "schema", entry->schema);
    set_text(object, "dimension", entry->dimension);
    if (entry->format.name.n > 0)
        json_object_set_new(object, "files_format", format_json(&entry->format));
}

static void set_work(json_t *object, const struct entry *entry)
{
    json_t *partitions = json_array();
    for (size_t i = 0; i < entry->n_spans; i++)
        json_array_append_new(partitions, span_json(&entry->spans[i]));
    json_object_set_new(object, "partitions", partitions);
    set_number(object, "rows", entry->rows);
    set_number(object, "matched", entry->matched);
    set_number(object, "first_batch_ms", entry->first_batch_ms);
    set_number(object, "last_batch_ms", entry->last_batch_ms);
    json_t *files = json_array();
    for (size_t i = 0; i < entry->n_files; i++)
        json_array_append_new(files, file_json(&entry->files[i]));
    json_object_set_new(object, "files", files);
    if (entry->has_snapshot)
        json_object_set_new(object, "snapshot", snapshot_json(&entry->snapshot));
}

static int append_piece(const char *piece, size_t n_bytes, void *buf)
{
    buf_append(buf, piece, n_bytes);
    return 0;
}

static void append_json(const struct entry *entry, struct buf *ret)
{
    json_t *object = json_object();
    set_number(object, "format", ENTRY_FORMAT);
    set_text(object, "checksum", str_of(zeros));
    set_text(object, "prev", str_of(entry->prev));
    set_identity(object, entry);
    set_work(object, entry);
    int rc = json_dump_callback(object, append_piece, ret, JSON_COMPACT);
    assert(rc == 0);
    buf_char(ret, '\n');
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
