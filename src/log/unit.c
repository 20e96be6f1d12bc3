// SPDX-License-Identifier: Apache-2.0
#include "log/unit.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/env.h"
#include "log/fields.h"
#include "log/log_entry.h"
#include "log/paths.h"

enum {
    SHOWN_BYTES = 120 // of a wrong name
};

void unit_release(struct unit *unit)
{
    arena_release(&unit->arena);
    *unit = (struct unit){0};
}

// Encoding.

static json_t *mark_json(const struct record_mark *mark)
{
    char crc[9];
    snprintf(crc, sizeof(crc), "%08" PRIx32, mark->crc32c);
    json_t *object = json_object();
    put_number(object, "offset", mark->offset);
    put_number(object, "time_ms", mark->time_ms);
    put_text(object, "crc32c", str_of(crc));
    return object;
}

void put_mark(json_t *object, const struct record_mark *mark)
{
    if (mark->offset >= 0)
        json_object_set_new(object, "last", mark_json(mark));
}

void put_epoch(json_t *object, struct leader_epoch epoch)
{
    if (epoch.is_known)
        put_number(object, "epoch", epoch.number);
}

void put_topic_id(json_t *object, struct str id)
{
    if (id.n > 0)
        put_text(object, "topic_id", id);
}

static int64_t explained(const struct span *span)
{
    return span->control + span->aborted + span->hole;
}

static bool is_explained(const struct span *span)
{
    return explained(span) == span->skipped - span->gap;
}

static bool is_accounted(const struct span *span)
{
    return explained(span) > 0 && is_explained(span);
}

static json_t *span_json(const struct span *span)
{
    json_t *object = json_object();
    put_number(object, "partition", span->partition);
    put_number(object, "first", span->first);
    put_number(object, "next", span->next);
    put_number(object, "data", span->data);
    put_number(object, "skipped", span->skipped);
    put_number(object, "gap", span->gap);
    if (is_accounted(span)) {
        put_number(object, "control", span->control);
        put_number(object, "aborted", span->aborted);
        put_number(object, "hole", span->hole);
    }
    put_number(object, "ignored", span->ignored);
    put_number(object, "rejected", span->rejected);
    put_mark(object, &span->last);
    put_epoch(object, span->epoch);
    return object;
}

static json_t *file_json(const struct entry_file *file)
{
    json_t *object = json_object();
    put_text(object, "kind", str_of(file->kind == FILE_DEAD ? "dead" : "data"));
    put_text(object, "tmp", file->tmp);
    if (file->name.p != NULL)
        put_text(object, "name", file->name);
    put_number(object, "rows", file->rows);
    put_number(object, "bytes", file->bytes);
    put_text(object, "checksum", str_of(file->checksum.hex));
    if (file->checksum.kind != CHECKSUM_HDFS)
        put_text(object, "checksum_kind",
                 str_of(checksum_kind_name(file->checksum.kind)));
    return object;
}

void put_work(json_t *object, const struct unit *unit)
{
    json_t *partitions = json_array();
    for (size_t i = 0; i < unit->n_spans; i++)
        json_array_append_new(partitions, span_json(&unit->spans[i]));
    json_object_set_new(object, "partitions", partitions);
    put_number(object, "rows", unit->rows);
    put_number(object, "matched", unit->matched);
    put_number(object, "first_batch_ms", unit->first_batch_ms);
    put_number(object, "last_batch_ms", unit->last_batch_ms);
    json_t *files = json_array();
    for (size_t i = 0; i < unit->n_files; i++)
        json_array_append_new(files, file_json(&unit->files[i]));
    json_object_set_new(object, "files", files);
}

json_t *unit_json(const struct unit *unit)
{
    json_t *object = json_object();
    put_text(object, "writer", unit->writer);
    put_text(object, "dimension", unit->dimension);
    put_topic_id(object, unit->topic_id);
    put_work(object, unit);
    return object;
}

void unit_encode(const struct unit *unit, struct buf *ret)
{
    json_t *object = unit_json(unit);
    fields_append(object, ret);
    json_decref(object);
}

// Decoding.

// Records of a stream may have the time -1: none.
static int64_t get_time(struct decoding *dec, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value))
        wrong(dec, key, "a whole number");
    return json_integer_value(value);
}

struct record_mark get_mark(struct decoding *dec, const json_t *object)
{
    const json_t *last = json_object_get(object, "last");
    if (last == NULL)
        return (struct record_mark){.offset = -1};
    char crc[9];
    get_hex(dec, last, "crc32c", 8, crc);
    return (struct record_mark){
        .offset = get_number(dec, last, "offset"),
        .time_ms = get_time(dec, last, "time_ms"),
        .crc32c = (uint32_t)strtoul(crc, NULL, 16),
    };
}

struct leader_epoch get_epoch(struct decoding *dec, const json_t *object)
{
    if (json_object_get(object, "epoch") == NULL)
        return (struct leader_epoch){0};
    int64_t number = get_number(dec, object, "epoch");
    if (number > INT32_MAX)
        wrong(dec, "epoch", "a whole number from 0 to 2147483647");
    return (struct leader_epoch){true, (int32_t)number};
}

struct str get_topic_id(struct decoding *dec, const json_t *object)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    if (json_object_get(object, "topic_id") == NULL)
        return (struct str){0};
    struct str id = get_text(dec, object, "topic_id");
    if (id.n == TOPIC_ID_TEXT - 1 && strspn(id.p, digits) >= id.n)
        return id;
    wrong(dec, "topic_id", "22 characters of base 64");
    return (struct str){0};
}

// Of an entry that does not tell it, as of an older program: 0.
static int64_t get_part(struct decoding *dec, const json_t *object, const char *name)
{
    return json_object_get(object, name) != NULL ? get_number(dec, object, name) : 0;
}

static struct span get_span(struct decoding *dec, const json_t *object)
{
    struct span span = {
        .partition = get_partition(dec, object),
        .first = get_number(dec, object, "first"),
        .next = get_number(dec, object, "next"),
        .data = get_number(dec, object, "data"),
        .skipped = get_number(dec, object, "skipped"),
        .gap = get_number(dec, object, "gap"),
        .control = get_part(dec, object, "control"),
        .aborted = get_part(dec, object, "aborted"),
        .hole = get_part(dec, object, "hole"),
        .ignored = get_number(dec, object, "ignored"),
        .rejected = get_number(dec, object, "rejected"),
        .last = get_mark(dec, object),
        .epoch = get_epoch(dec, object),
    };
    return span;
}

// One without a kind is HDFS's: older programs knew no other.
static void get_checksum(struct decoding *dec, const json_t *object, struct checksum *ret)
{
    if (json_object_get(object, "checksum_kind") != NULL &&
        !checksum_kind_of(get_text(dec, object, "checksum_kind"), &ret->kind))
        wrong(dec, "checksum_kind", "a kind of checksum that this program knows");
    get_hex(dec, object, "checksum", checksum_digits(ret->kind), ret->hex);
}

static struct entry_file get_file(struct decoding *dec, const json_t *object)
{
    struct entry_file file = {
        .tmp = get_text(dec, object, "tmp"),
        .name = dec->has_names ? get_text(dec, object, "name") : (struct str){0},
        .rows = get_number(dec, object, "rows"),
        .bytes = get_number(dec, object, "bytes"),
    };
    struct str kind = get_text(dec, object, "kind");
    file.kind = str_is(kind, "dead") ? FILE_DEAD : FILE_DATA;
    if (file.kind == FILE_DATA && !str_is(kind, "data"))
        wrong(dec, "kind", "'data' or 'dead'");
    get_checksum(dec, object, &file.checksum);
    return file;
}

void get_work(struct decoding *dec, const json_t *object, struct unit *ret)
{
    const json_t *spans = get_array(dec, object, "partitions");
    ret->n_spans = json_array_size(spans);
    ret->spans = arena_array(dec->arena, ret->n_spans, sizeof(*ret->spans));
    for (size_t i = 0; i < ret->n_spans; i++)
        ret->spans[i] = get_span(dec, json_array_get(spans, i));
    const json_t *files = get_array(dec, object, "files");
    ret->n_files = json_array_size(files);
    ret->files = arena_array(dec->arena, ret->n_files, sizeof(*ret->files));
    for (size_t i = 0; i < ret->n_files; i++)
        ret->files[i] = get_file(dec, json_array_get(files, i));
    ret->rows = get_number(dec, object, "rows");
    ret->matched = get_number(dec, object, "matched");
    ret->first_batch_ms = get_number(dec, object, "first_batch_ms");
    ret->last_batch_ms = get_number(dec, object, "last_batch_ms");
}

static enum status check_counts(const struct unit *unit, struct err *err)
{
    for (size_t i = 0; i < unit->n_spans; i++)
        if (!span_adds_up(&unit->spans[i]))
            return err_set(err, ST_DATA,
                           "the counts of partition %" PRId32 " do not add up",
                           unit->spans[i].partition);
    return ST_OK;
}

enum status unit_of_json(const json_t *object, struct unit *ret, struct err *err)
{
    struct unit unit = {0};
    struct decoding dec = {.arena = &unit.arena, .err = err};
    unit.writer = get_text(&dec, object, "writer");
    unit.dimension = get_text(&dec, object, "dimension");
    unit.topic_id = get_topic_id(&dec, object);
    get_work(&dec, object, &unit);
    enum status rc = dec.rc;
    if (rc == ST_OK)
        rc = unit_check(&unit, err);
    if (rc == ST_OK)
        rc = check_counts(&unit, err);
    if (rc == ST_OK)
        *ret = unit;
    else
        unit_release(&unit);
    return rc;
}

enum status unit_decode(struct str line, struct unit *ret, struct err *err)
{
    json_error_t why;
    if (json_check(line, ENTRY_VALUES_MAX, err) != ST_OK)
        return err_context(err, ST_DATA, "as JSON");
    json_t *object = json_loadb(line.p, line.n, JSON_REJECT_DUPLICATES, &why);
    if (object == NULL)
        return err_set(err, ST_DATA, "it is not JSON: %s", why.text);
    enum status rc = unit_of_json(object, ret, err);
    json_decref(object);
    return rc;
}

// Checking.

enum status wrong_name(const char *field, size_t index, struct str name,
                       const char *wanted, struct err *err)
{
    struct str shown = {name.p, name.n < SHOWN_BYTES ? name.n : SHOWN_BYTES};
    return err_set(err, ST_DATA, "field '%s' of file %zu is '%.*s'%s, not %s", field,
                   index, STR_ARGS(shown), name.n > shown.n ? "..." : "", wanted);
}

// On a storage that cannot rename a file lies at its final place from the start.
static bool is_tmp(const struct unit *unit, const struct entry_file *file)
{
    struct str name = file->tmp;
    if (path_is_made(name, unit->writer, file->kind == FILE_DEAD))
        return true;
    AUTO(buf_release) struct buf folder = {0};
    buf_printf(&folder, PATH_LOG_ROOT "/tmp/%.*s/", STR_ARGS(unit->writer));
    return str_starts_with(name, buf_cstr(&folder)) &&
           env_is_uuid((struct str){name.p + folder.n, name.n - folder.n});
}

// Adds a count of one partition; false when the sum is more than a number may be.
static bool add(int64_t *sum, int64_t count)
{
    *sum += count;
    return *sum <= ENTRY_NUMBER_MAX;
}

static enum status check_sums(const struct unit *unit, struct err *err)
{
    int64_t data = 0, skipped = 0, rejected = 0, rows = 0, bytes = 0;
    bool fits = true;
    for (size_t i = 0; fits && i < unit->n_spans; i++)
        fits = add(&data, unit->spans[i].data) && add(&skipped, unit->spans[i].skipped) &&
               add(&rejected, unit->spans[i].rejected);
    for (size_t i = 0; fits && i < unit->n_files; i++)
        fits = add(&rows, unit->files[i].rows) && add(&bytes, unit->files[i].bytes);
    if (fits)
        return ST_OK;
    return err_set(err, ST_DATA, "its numbers add up to more than 10^18");
}

enum status check_order(int64_t before, int64_t partition, struct err *err)
{
    if (partition > before)
        return ST_OK;
    return err_set(err, ST_DATA,
                   "field 'partition' has %" PRId64 " behind %" PRId64
                   ", partitions rise",
                   partition, before);
}

static enum status check_spans(const struct unit *unit, struct err *err)
{
    for (size_t i = 1; i < unit->n_spans; i++)
        TRY(check_order(unit->spans[i - 1].partition, unit->spans[i].partition, err));
    return ST_OK;
}

static enum status check_files(const struct unit *unit, struct err *err)
{
    if (unit->n_files > ENTRY_FILES_MAX)
        return err_set(err, ST_DATA,
                       "field 'files' has %zu files, an entry has at most %d",
                       unit->n_files, ENTRY_FILES_MAX);
    for (size_t i = 0; i < unit->n_files; i++)
        if (!is_tmp(unit, &unit->files[i]))
            return wrong_name("tmp", i, unit->files[i].tmp,
                              PATH_LOG_ROOT "/tmp/, its writer and a UUID", err);
    return ST_OK;
}

enum status unit_check(const struct unit *unit, struct err *err)
{
    if (!env_is_uuid(unit->writer))
        return err_set(err, ST_DATA, "field 'writer' is not a UUID");
    TRY(check_spans(unit, err));
    TRY(check_files(unit, err));
    return check_sums(unit, err);
}

void span_extend(struct span *span, const struct span *more)
{
    assert(span->next == more->first);
    bool is_known = is_explained(span) && is_explained(more);
    if (more->next > more->first)
        span->epoch = more->epoch;
    span->next = more->next;
    span->data += more->data;
    span->skipped += more->skipped;
    span->gap += more->gap;
    span->control = is_known ? span->control + more->control : 0;
    span->aborted = is_known ? span->aborted + more->aborted : 0;
    span->hole = is_known ? span->hole + more->hole : 0;
    span->ignored += more->ignored;
    span->rejected += more->rejected;
    if (more->last.offset >= 0)
        span->last = more->last;
}

bool span_adds_up(const struct span *span)
{
    return span->next >= span->first && span->gap <= span->skipped &&
           (explained(span) == 0 || is_accounted(span)) &&
           span->data + span->skipped == span->next - span->first &&
           span->ignored + span->rejected <= span->data;
}
