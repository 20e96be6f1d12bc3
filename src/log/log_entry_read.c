// SPDX-License-Identifier: Apache-2.0
#include "log/log_entry.h"

#include <stdlib.h>

#include "log/fields.h"

static struct progress get_progress(struct decoding *dec, const json_t *object)
{
    return (struct progress){
        .partition = get_partition(dec, object),
        .next = get_number(dec, object, "next"),
        .writer = get_text(dec, object, "writer"),
        .last = get_mark(dec, object),
        .epoch = get_epoch(dec, object),
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

static void get_options(struct decoding *dec, json_t *object, struct str table,
                        struct job_script *ret)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        struct script_option *option = &ret->options[ret->n_options++];
        *option = (struct script_option){table, arena_str(dec->arena, str_of(name)), {0}};
        if (!json_is_null(value))
            option->value = get_text(dec, object, name);
    }
}

static json_t *get_object(struct decoding *dec, const json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    if (!json_is_object(value))
        wrong(dec, key, "an object");
    return value;
}

// Entries of older programs have none.
static struct job_script get_script(struct decoding *dec, const json_t *object)
{
    const json_t *script = json_object_get(object, "script");
    if (script == NULL)
        return (struct job_script){0};
    json_t *set = get_object(dec, script, "set"), *table;
    json_t *with = get_object(dec, script, "with");
    const char *name;
    size_t n = json_object_size(set);
    json_object_foreach(with, name, table) n += json_object_size(table);
    if (n > SCRIPT_OPTIONS_MAX)
        wrong(dec, "script", "of at most 10000 options");
    struct job_script ret = {
        .is_known = true,
        .query = get_text(dec, script, "query"),
        .options = arena_array(dec->arena, n, sizeof(*ret.options)),
    };
    get_options(dec, set, (struct str){0}, &ret);
    json_object_foreach(with, name, table) get_options(
        dec, get_object(dec, with, name), arena_str(dec->arena, str_of(name)), &ret);
    return ret;
}

// A snapshot says also which entry told it, and its plan's hash.
static struct job_script get_kept_script(struct decoding *dec, const json_t *snapshot)
{
    const json_t *script = json_object_get(snapshot, "script");
    struct job_script ret = get_script(dec, snapshot);
    if (script == NULL)
        return ret;
    ret.entry = get_number(dec, script, "entry");
    ret.plan = get_text(dec, script, "plan");
    return ret;
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
    ret->topic_id = get_topic_id(dec, object);
    ret->script = get_kept_script(dec, object);
}

static enum entry_kind get_kind(struct decoding *dec, const json_t *object)
{
    struct str text = get_text(dec, object, "kind");
    for (int kind = ENTRY_JOB; kind <= ENTRY_REPLAY; kind++)
        if (str_is(text, entry_kind_name((enum entry_kind)kind)))
            return (enum entry_kind)kind;
    wrong(dec, "kind", "'job', 'claim', 'commit' or 'replay'");
    return ENTRY_JOB;
}

static void get_replay(struct decoding *dec, const json_t *object, struct replay *ret)
{
    const json_t *letters = get_array(dec, object, "letters");
    ret->n_letters = json_array_size(letters);
    ret->letters = arena_array(dec->arena, ret->n_letters, sizeof(*ret->letters));
    for (size_t i = 0; i < ret->n_letters; i++) {
        const json_t *range = json_array_get(letters, i);
        ret->letters[i] = (struct letter_range){
            .entry = get_number(dec, range, "entry"),
            .first = get_number(dec, range, "first"),
            .count = get_number(dec, range, "count"),
        };
    }
    ret->records = get_number(dec, object, "records");
    ret->ignored = get_number(dec, object, "ignored");
    ret->rejected = get_number(dec, object, "rejected");
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
    ret->topic_id = get_topic_id(dec, object);
    ret->format = get_format(dec, object);
    ret->script = get_script(dec, object);
}

static void get_unit(struct decoding *dec, const json_t *object, struct entry *ret)
{
    struct unit unit = {0};
    get_work(dec, object, &unit);
    ret->spans = unit.spans;
    ret->n_spans = unit.n_spans;
    ret->rows = unit.rows;
    ret->matched = unit.matched;
    ret->first_batch_ms = unit.first_batch_ms;
    ret->last_batch_ms = unit.last_batch_ms;
    ret->files = unit.files;
    ret->n_files = unit.n_files;
    if (ret->kind == ENTRY_REPLAY)
        get_replay(dec, json_object_get(object, "replay"), &ret->replay);
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
        return err_set(err, ST_DATA, "it is not JSON: %s", why.text);
    struct decoding dec = {.arena = arena, .err = err, .has_names = true};
    struct entry entry = {0};
    if (check_format(&dec, object) == ST_OK) {
        get_head(&dec, object, &entry);
        get_unit(&dec, object, &entry);
    }
    json_decref(object);
    if (dec.rc == ST_OK && !checksum_holds(bytes, entry.checksum))
        dec.rc = err_set(err, ST_DATA, "its checksum is not that of its bytes");
    if (dec.rc == ST_OK)
        *ret = entry;
    return dec.rc;
}
