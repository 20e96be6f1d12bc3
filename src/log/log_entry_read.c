// SPDX-License-Identifier: Apache-2.0
#include "log/log_entry.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/json.h"

// What decoding goes with: the first thing that was wrong stays in err.
struct decoding {
    struct arena *arena;
    struct err *err;
    enum status rc;
};

static void wrong(struct decoding *dec, const char *key, const char *wanted)
{
    if (dec->rc == ST_OK)
        dec->rc = err_set(dec->err, ST_DATA, "field '%s' is not %s", key, wanted);
}

static struct str get_text(struct decoding *dec, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_string(value)) {
        wrong(dec, key, "a text");
        return (struct str){"", 0};
    }
    struct str text = json_as_str(value);
    if (text.n > ENTRY_TEXT_MAX)
        wrong(dec, key, "at most 1048576 bytes long");
    return arena_str(dec->arena, text);
}

static int64_t get_number(struct decoding *dec, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    int64_t number = json_integer_value(value);
    if (json_is_integer(value) && number >= 0 && number <= ENTRY_NUMBER_MAX)
        return number;
    wrong(dec, key, "a whole number from 0 to 10^18");
    return 0;
}

// Records of a stream may have the time -1: none.
static int64_t get_time(struct decoding *dec, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value))
        wrong(dec, key, "a whole number");
    return json_integer_value(value);
}

static int32_t get_partition(struct decoding *dec, const json_t *object)
{
    int64_t number = get_number(dec, object, "partition");
    if (number >= ENTRY_PARTITION_MAX)
        wrong(dec, "partition", "below 100000");
    return (int32_t)number;
}

static const json_t *get_array(struct decoding *dec, const json_t *object,
                               const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_array(value))
        wrong(dec, key, "an array");
    return value;
}

static void get_hex(struct decoding *dec, const json_t *object, const char *key,
                    size_t n_digits, char *ret)
{
    struct str text = get_text(dec, object, key);
    if (text.n != n_digits || strspn(text.p, "0123456789abcdef") < n_digits) {
        wrong(dec, key, "hex digits");
        text.n = 0;
    }
    memcpy(ret, text.p, text.n);
    ret[text.n] = '\0';
}

static struct record_mark get_mark(struct decoding *dec, const json_t *object)
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

static struct span get_span(struct decoding *dec, const json_t *object)
{
    struct span span = {
        .partition = get_partition(dec, object),
        .first = get_number(dec, object, "first"),
        .next = get_number(dec, object, "next"),
        .data = get_number(dec, object, "data"),
        .skipped = get_number(dec, object, "skipped"),
        .gap = get_number(dec, object, "gap"),
        .ignored = get_number(dec, object, "ignored"),
        .rejected = get_number(dec, object, "rejected"),
        .last = get_mark(dec, object),
    };
    return span;
}

static struct entry_file get_file(struct decoding *dec, const json_t *object)
{
    struct entry_file file = {
        .tmp = get_text(dec, object, "tmp"),
        .name = get_text(dec, object, "name"),
        .rows = get_number(dec, object, "rows"),
        .bytes = get_number(dec, object, "bytes"),
    };
    struct str kind = get_text(dec, object, "kind");
    file.kind = str_is(kind, "dead") ? FILE_DEAD : FILE_DATA;
    if (file.kind == FILE_DATA && !str_is(kind, "data"))
        wrong(dec, "kind", "'data' or 'dead'");
    get_hex(dec, object, "checksum", CHECKSUM_HEX - 1, file.checksum.hex);
    return file;
}

static struct progress get_progress(struct decoding *dec, const json_t *object)
{
    return (struct progress){
        .partition = get_partition(dec, object),
        .next = get_number(dec, object, "next"),
        .writer = get_text(dec, object, "writer"),
        .last = get_mark(dec, object),
    };
}

static void get_pending(struct decoding *dec, const json_t *object, struct snapshot *ret)
{
    const json_t *pending = get_array(dec, object, "pending");
    ret->n_pending = json_array_size(pending);
    ret->pending = arena_array(dec->arena, ret->n_pending, sizeof(*ret->pending));
    for (size_t i = 0; i < ret->n_pending; i++) {
        const json_t *number = json_array_get(pending, i);
        if (!json_is_integer(number))
            wrong(dec, "pending", "an array of numbers");
        ret->pending[i] = json_integer_value(number);
    }
}

static void get_writers(struct decoding *dec, const json_t *object, struct snapshot *ret)
{
    const json_t *writers = get_array(dec, object, "writers");
    ret->n_writers = json_array_size(writers);
    ret->writers = arena_array(dec->arena, ret->n_writers, sizeof(*ret->writers));
    for (size_t i = 0; i < ret->n_writers; i++) {
        const json_t *writer = json_array_get(writers, i);
        if (!json_is_string(writer)) {
            wrong(dec, "writers", "an array of texts");
            return;
        }
        ret->writers[i] = arena_str(dec->arena, str_of(json_string_value(writer)));
    }
}

static void get_snapshot(struct decoding *dec, const json_t *object, struct snapshot *ret)
{
    const json_t *partitions = get_array(dec, object, "partitions");
    ret->n_partitions = json_array_size(partitions);
    ret->partitions =
        arena_array(dec->arena, ret->n_partitions, sizeof(*ret->partitions));
    for (size_t i = 0; i < ret->n_partitions; i++)
        ret->partitions[i] = get_progress(dec, json_array_get(partitions, i));
    get_pending(dec, object, ret);
    get_writers(dec, object, ret);
}

static enum entry_kind get_kind(struct decoding *dec, const json_t *object)
{
    struct str text = get_text(dec, object, "kind");
    for (int kind = ENTRY_JOB; kind <= ENTRY_COMMIT; kind++)
        if (str_is(text, entry_kind_name((enum entry_kind)kind)))
            return (enum entry_kind)kind;
    wrong(dec, "kind", "'job', 'claim' or 'commit'");
    return ENTRY_JOB;
}

static struct job_identity get_identity(struct decoding *dec, const json_t *object)
{
    const json_t *job = json_object_get(object, "job");
    return (struct job_identity){
        .cluster = get_text(dec, job, "cluster"),
        .topic = get_text(dec, job, "topic"),
        .group = get_text(dec, job, "group"),
        .name = get_text(dec, job, "name"),
    };
}

// Entries of older programs have none.
static struct file_format get_format(struct decoding *dec, const json_t *object)
{
    const json_t *format = json_object_get(object, "files_format");
    if (format == NULL)
        return (struct file_format){0};
    json_t *options = json_object_get(format, "options");
    struct file_format ret = {
        .name = get_text(dec, format, "name"),
        .options =
            arena_array(dec->arena, json_object_size(options), sizeof(*ret.options)),
    };
    const char *name;
    json_t *value;
    json_object_foreach(options, name, value) ret.options[ret.n_options++] =
        (struct file_option){arena_str(dec->arena, str_of(name)),
                             get_text(dec, options, name)};
    return ret;
}

static void get_head(struct decoding *dec, const json_t *object, struct entry *ret)
{
    ret->number = get_number(dec, object, "number");
    ret->kind = get_kind(dec, object);
    get_hex(dec, object, "checksum", SHA256_HEX - 1, ret->checksum);
    get_hex(dec, object, "prev", ret->number ? SHA256_HEX - 1 : 0, ret->prev);
    ret->writer = get_text(dec, object, "writer");
    ret->attempt = get_text(dec, object, "attempt");
    ret->worker = get_text(dec, object, "worker");
    ret->time_ms = get_number(dec, object, "time_ms");
    ret->job = get_identity(dec, object);
    ret->plan = get_text(dec, object, "plan");
    ret->schema = get_text(dec, object, "schema");
    ret->dimension = get_text(dec, object, "dimension");
    ret->format = get_format(dec, object);
}

static void get_work(struct decoding *dec, const json_t *object, struct entry *ret)
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
    const json_t *snapshot = json_object_get(object, "snapshot");
    ret->has_snapshot = snapshot != NULL;
    if (snapshot)
        get_snapshot(dec, snapshot, &ret->snapshot);
}

static bool checksum_holds(struct str bytes, const char *checksum)
{
    char *copy = mem_strndup(bytes.p, bytes.n);
    char *place = memmem(copy, bytes.n, checksum, SHA256_HEX - 1);
    char real[SHA256_HEX] = "";
    if (place != NULL) {
        memset(place, '0', SHA256_HEX - 1);
        sha256_hex(copy, bytes.n, real);
    }
    free(copy);
    return strcmp(real, checksum) == 0;
}

static enum status check_format(struct decoding *dec, const json_t *object)
{
    int64_t format = get_number(dec, object, "format");
    if (dec->rc == ST_OK && format != ENTRY_FORMAT)
        dec->rc = err_set(dec->err, ST_DATA,
                          "format %lld; this version of the program reads format %d",
                          (long long)format, ENTRY_FORMAT);
    return dec->rc;
}

enum status entry_decode(struct str bytes, struct arena *arena, struct entry *ret,
                         struct err *err)
{
    json_error_t why;
    if (json_check(bytes, ENTRY_VALUES_MAX, err) != ST_OK)
        return err_context(err, ST_DATA, "as JSON");
    json_t *object = json_loadb(bytes.p, bytes.n, JSON_REJECT_DUPLICATES, &why);
    if (object == NULL)
        return err_set(err, ST_DATA, "not JSON: %s", why.text);
    struct decoding dec = {arena, err, ST_OK};
    struct entry entry = {0};
    if (check_format(&dec, object) == ST_OK) {
        get_head(&dec, object, &entry);
        get_work(&dec, object, &entry);
    }
    json_decref(object);
    if (dec.rc == ST_OK && !checksum_holds(bytes, entry.checksum))
        dec.rc = err_set(err, ST_DATA, "its checksum is not that of its bytes");
    if (dec.rc == ST_OK)
        *ret = entry;
    return dec.rc;
}
