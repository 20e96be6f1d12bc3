// SPDX-License-Identifier: Apache-2.0
#include "registry/registry.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/lock.h"
#include "http/url.h"
#include "registry/cache.h"
#include "registry/client.h"
#include "registry/reasons.h"
#include "registry/references.h"

struct registry {
    struct schema_lookup lookup; // first member
    struct registry_client *client;
    struct lock lock;   // of the cache
    struct cache cache; // the texts change on the thread that asks
    int64_t unknown_wait_ms;
    int64_t doubt_till_ms; // no unknown id is waited for
};

// The same text under another status.
static enum status restate(struct err *err, enum status status)
{
    if (err != NULL)
        err->status = status;
    return status;
}

// A registry that answers, but not to that path, does not find schemas by GUID. That is
// told of each record; a wrong address ends the job.
static enum status check_guids(struct registry *registry, enum status rc, struct err *err)
{
    json_t *types;
    bool is_unknown_path = rc == ST_FAIL && client_last_code(registry->client) == 404;
    if (!is_unknown_path ||
        client_ask(registry->client, "/schemas/types", NULL, &types, NULL) != ST_OK)
        return rc;
    json_decref(types);
    return err_set(
        err, ST_DATA,
        "the registry does not find schemas by GUID (it has no /schemas/guids; "
        "Confluent's has, from 8.0 on); let producers write ids");
}

static enum status ask_key(struct registry *registry, const struct schema_key *key,
                           struct cached *item, struct err *err)
{
    char path[80], guid[GUID_TEXT];
    schema_guid_format(key, guid);
    if (key->id != 0)
        snprintf(path, sizeof(path), "/schemas/ids/%d", key->id);
    else
        snprintf(path, sizeof(path), "/schemas/guids/%s", guid);
    json_t *answer;
    enum status rc = client_ask_schema(registry->client, path, &answer, err);
    if (rc != ST_OK)
        return key->id != 0 ? rc : check_guids(registry, rc, err);
    rc = references_collect(registry->client, answer, &item->arena, &item->texts, err);
    json_decref(answer);
    return rc;
}

// The id is unknown, now or still: whether to wait for it.
static bool note_absence(struct registry *registry, const struct schema_key *key)
{
    int64_t now_ms = rest_client_now_ms(registry->client);
    const struct cached *known = cache_find(&registry->cache, key);
    bool is_given_up = known != NULL && known->is_given_up;
    int64_t since_ms = known ? known->absent_since : now_ms;
    bool is_over = now_ms - since_ms >= registry->unknown_wait_ms;
    bool waits = !is_given_up && !is_over && now_ms >= registry->doubt_till_ms;
    if (known != NULL && !is_given_up && is_over)
        registry->doubt_till_ms = now_ms + REGISTRY_DOUBT_MS;
    struct cached *item = cache_add(&registry->cache, key);
    item->is_absent = true;
    item->is_given_up = !waits;
    item->absent_since = since_ms;
    item->absent_till = waits ? now_ms : now_ms + REGISTRY_ABSENT_MS;
    return waits;
}

static enum status take_absence(struct registry *registry, const struct schema_key *key,
                                struct err *err)
{
    lock_take(&registry->lock);
    bool waits = note_absence(registry, key);
    lock_give(&registry->lock);
    return waits ? restate(err, ST_RETRY) : ST_NOT_FOUND;
}

// Under the lock. ST_RETRY, without a text: it is not known.
static enum status find_known(struct registry *registry, const struct schema_key *key,
                              struct schema_texts *ret, struct err *err)
{
    const struct cached *known = cache_find(&registry->cache, key);
    char name[SCHEMA_KEY_TEXT];
    if (known == NULL ||
        (known->is_absent && known->absent_till <= rest_client_now_ms(registry->client)))
        return ST_RETRY;
    schema_key_format(key, name);
    if (known->is_absent)
        return err_set(err, ST_NOT_FOUND, "registry: there is no %s", name);
    *ret = known->texts;
    return ST_OK;
}

static struct schema_texts copied(struct schema_texts texts, struct arena *arena)
{
    struct str *items = arena_array(arena, texts.n, sizeof(*items));
    for (size_t i = 0; i < texts.n; i++)
        items[i] = arena_str(arena, texts.items[i]);
    return (struct schema_texts){items, texts.n};
}

enum status registry_known(struct registry *registry, const struct schema_key *key,
                           struct arena *arena, struct schema_texts *ret, struct err *err)
{
    struct schema_texts texts;
    lock_take(&registry->lock);
    enum status rc = find_known(registry, key, &texts, err);
    if (rc == ST_OK)
        *ret = copied(texts, arena);
    lock_give(&registry->lock);
    return rc;
}

static void keep(struct registry *registry, const struct cached *fresh)
{
    lock_take(&registry->lock);
    cache_make_room(&registry->cache, fresh->arena.n_bytes);
    struct cached *item = cache_add(&registry->cache, &fresh->key);
    item->arena = fresh->arena;
    item->texts = fresh->texts;
    lock_give(&registry->lock);
}

// What it gives lies in the cache until the next call: nobody else puts anything there.
static enum status get(struct schema_lookup *lookup, const struct schema_key *key,
                       struct schema_texts *ret, struct err *err)
{
    struct registry *registry = (struct registry *)lookup;
    lock_take(&registry->lock);
    enum status rc = find_known(registry, key, ret, err);
    lock_give(&registry->lock);
    if (rc != ST_RETRY)
        return rc;
    struct cached fresh = {.key = *key};
    rc = ask_key(registry, key, &fresh, err);
    if (rc != ST_OK)
        arena_release(&fresh.arena);
    if (rc == ST_NOT_FOUND)
        return take_absence(registry, key, err);
    TRY(rc);
    keep(registry, &fresh);
    *ret = fresh.texts;
    return ST_OK;
}

static void close_lookup(struct schema_lookup *lookup)
{
    registry_close((struct registry *)lookup);
}

static const struct schema_lookup_ops lookup_ops = {
    .get = get,
    .close = close_lookup,
};

enum status registry_open(const struct registry_config *config, struct registry **ret,
                          struct err *err)
{
    struct registry_client *client;
    TRY(rest_client_open(config, &client, err));
    struct registry *registry = mem_zalloc(sizeof(*registry));
    registry->lookup.ops = &lookup_ops;
    registry->client = client;
    registry->unknown_wait_ms = config->unknown_wait_ms;
    *ret = registry;
    return ST_OK;
}

void registry_close(struct registry *registry)
{
    if (registry == NULL)
        return;
    cache_release(&registry->cache);
    rest_client_close(registry->client);
    free(registry);
}

struct schema_lookup *registry_lookup(struct registry *registry)
{
    return &registry->lookup;
}

// "/subjects/<subject><tail>"
static void subject_path(struct buf *path, struct str subject, const char *tail)
{
    buf_text(path, "/subjects/");
    http_url_escape(path, subject, false);
    buf_text(path, tail);
}

static enum status take_id(const json_t *answer, int32_t *ret, struct err *err)
{
    const json_t *id = json_object_get(answer, "id");
    if (!json_is_integer(id) || json_integer_value(id) < 0 ||
        json_integer_value(id) > INT32_MAX)
        return err_set(err, ST_FAIL, "registry: the answer has no schema id");
    *ret = (int32_t)json_integer_value(id);
    return ST_OK;
}

enum status registry_latest(struct registry *registry, struct str subject,
                            struct arena *arena, struct registry_version *ret,
                            struct err *err)
{
    struct buf path = {0};
    subject_path(&path, subject, "/versions/latest");
    json_t *answer;
    enum status rc = client_ask(registry->client, buf_cstr(&path), NULL, &answer, err);
    buf_release(&path);
    TRY(rc);
    struct registry_version version = {
        .version = (int32_t)json_integer_value(json_object_get(answer, "version"))};
    rc = take_id(answer, &version.id, err);
    if (rc == ST_OK)
        rc = references_collect(registry->client, answer, arena, &version.texts, err);
    json_decref(answer);
    if (rc == ST_OK)
        *ret = version;
    return rc;
}

// Posts {"schema": text} to a path made of the subject.
static enum status post_schema(struct registry *registry, struct str path,
                               struct str schema, json_t **ret, struct err *err)
{
    struct buf text = {0};
    buf_str(&text, path);
    json_t *body = json_pack("{s:s%}", "schema", schema.p, schema.n);
    enum status rc =
        body ? client_ask(registry->client, buf_cstr(&text), body, ret, err)
             : err_set(err, ST_DATA, "registry: the schema is not UTF-8 text");
    json_decref(body);
    buf_release(&text);
    return rc;
}

static enum status post_for_id(struct registry *registry, struct str subject,
                               const char *tail, struct str schema, int32_t *ret,
                               struct err *err)
{
    struct buf path = {0};
    subject_path(&path, subject, tail);
    json_t *answer;
    enum status rc = post_schema(registry, buf_as_str(&path), schema, &answer, err);
    buf_release(&path);
    TRY(rc);
    rc = take_id(answer, ret, err);
    json_decref(answer);
    return rc;
}

enum status registry_find(struct registry *registry, struct str subject,
                          struct str schema, int32_t *ret, struct err *err)
{
    return post_for_id(registry, subject, "", schema, ret, err);
}

// Registers the schema, or finds it there. ST_CONFLICT: not compatible with the subject's
// versions, with the registry's reasons.
static enum status register_schema(struct registry *registry, struct str subject,
                                   struct str schema, int32_t *ret, struct err *err)
{
    return post_for_id(registry, subject, "/versions", schema, ret, err);
}

static void add_reasons(const json_t *messages, struct buf *reasons)
{
    for (size_t i = 0; i < json_array_size(messages); i++) {
        const char *text = json_string_value(json_array_get(messages, i));
        if (text != NULL)
            buf_printf(reasons, "%s%s", reasons->n ? "; " : "", text);
    }
}

enum status registry_subjects_of(struct registry *registry, int32_t id,
                                 struct str subject, bool *ret, struct buf *others,
                                 struct err *err)
{
    char path[60];
    snprintf(path, sizeof(path), "/schemas/ids/%d/versions", id);
    json_t *answer;
    TRY(client_ask(registry->client, path, NULL, &answer, err));
    bool found = false;
    for (size_t i = 0; i < json_array_size(answer); i++) {
        const json_t *version = json_array_get(answer, i);
        const char *name = json_string_value(json_object_get(version, "subject"));
        if (name != NULL && str_is(subject, name))
            found = true;
        else if (name != NULL)
            buf_printf(others, "%s'%s'", others->n ? ", " : "", name);
    }
    json_decref(answer);
    *ret = found;
    return ST_OK;
}

// Apicurio's check gives no reasons: then we say what we see.
static void find_reasons(struct registry *registry, struct str subject, struct str schema,
                         struct buf *reasons)
{
    struct arena arena = {0};
    struct registry_version latest;
    if (registry_latest(registry, subject, &arena, &latest, NULL) == ST_OK)
        reasons_find(&latest.texts, schema, reasons);
    if (reasons->n == 0)
        buf_text(reasons, "the registry gives no reasons");
    arena_release(&arena);
}

// Whether the schema could follow the latest version; true when the subject has none.
// `reasons` gets what the registry says against it.
static enum status is_compatible(struct registry *registry, struct str subject,
                                 struct str schema, bool *ret, struct buf *reasons,
                                 struct err *err)
{
    struct buf path = {0};
    buf_text(&path, "/compatibility");
    subject_path(&path, subject, "/versions/latest?verbose=true");
    json_t *answer;
    enum status rc = post_schema(registry, buf_as_str(&path), schema, &answer, err);
    buf_release(&path);
    if (rc == ST_NOT_FOUND) { // no subject, or none of its versions is left
        *ret = true;
        return ST_OK;
    }
    TRY(rc);
    const json_t *compatible = json_object_get(answer, "is_compatible");
    if (json_is_boolean(compatible)) {
        *ret = json_is_true(compatible);
        add_reasons(json_object_get(answer, "messages"), reasons);
        if (!*ret && reasons->n == 0)
            find_reasons(registry, subject, schema, reasons);
    } else {
        rc = err_set(err, ST_FAIL, "registry: the answer has no \"is_compatible\"");
    }
    json_decref(answer);
    return rc;
}

static enum status incompatible(struct str subject, const struct buf *reasons,
                                struct err *err)
{
    return err_set(err, ST_CONFLICT,
                   "registry: the schema is not compatible with the latest version of "
                   "subject '%.*s': %.*s; change the columns, or the subject's "
                   "compatibility level",
                   STR_ARGS(subject), STR_ARGS(buf_as_str(reasons)));
}

enum status registry_check(struct registry *registry, enum registry_policy policy,
                           struct str subject, struct str schema, struct err *err)
{
    if (policy == REGISTER_NEVER)
        return err_set(err, ST_NOT_FOUND,
                       "registry: subject '%.*s' does not have this schema, and "
                       "register = 'never'; register it, or set register = "
                       "'if_compatible'",
                       STR_ARGS(subject));
    bool compatible = false;
    struct buf reasons = BUF_INIT(ERR_TEXT_MAX);
    enum status rc = is_compatible(registry, subject, schema, &compatible, &reasons, err);
    if (rc == ST_OK && !compatible)
        rc = incompatible(subject, &reasons, err);
    buf_release(&reasons);
    return rc;
}

enum status registry_id_for(struct registry *registry, enum registry_policy policy,
                            struct str subject, struct str schema, int32_t *ret,
                            struct err *err)
{
    if (policy == REGISTER_ALWAYS)
        return register_schema(registry, subject, schema, ret, err);
    enum status rc = registry_find(registry, subject, schema, ret, err);
    if (rc != ST_NOT_FOUND)
        return rc;
    TRY(registry_check(registry, policy, subject, schema, err));
    return register_schema(registry, subject, schema, ret, err);
}

void registry_subject(struct str option, struct str topic, struct str record,
                      struct buf *ret)
{
    if (str_is(option, "topic"))
        buf_printf(ret, "%.*s-value", STR_ARGS(topic));
    else if (str_is(option, "record"))
        buf_str(ret, record);
    else if (str_is(option, "topic-record"))
        buf_printf(ret, "%.*s-%.*s", STR_ARGS(topic), STR_ARGS(record));
    else
        buf_str(ret, option);
}
