// SPDX-License-Identifier: Apache-2.0
#include "registry/registry.h"

#include <stdio.h>
#include <stdlib.h>

#include "registry/cache.h"
#include "registry/client.h"
#include "registry/references.h"

struct registry {
    struct schema_lookup lookup; // first member
    struct client *client;
    struct cache cache;
};

static enum status ask_id(struct registry *registry, int32_t id, struct cached *item,
                          struct err *err)
{
    char path[40];
    snprintf(path, sizeof(path), "/schemas/ids/%d", id);
    json_t *answer;
    TRY(client_ask(registry->client, path, NULL, &answer, err));
    enum status rc =
        references_collect(registry->client, answer, &item->arena, &item->texts, err);
    json_decref(answer);
    return rc;
}

static enum status get(struct schema_lookup *lookup, int32_t id, struct schema_texts *ret,
                       struct err *err)
{
    struct registry *registry = (struct registry *)lookup;
    int64_t now_ms = rest_client_now_ms(registry->client);
    const struct cached *known = cache_find(&registry->cache, id, now_ms);
    if (known != NULL && known->absent_till != 0)
        return err_set(err, ST_NOT_FOUND, "registry: there is no schema of id %d", id);
    if (known == NULL) {
        struct cached fresh = {.id = id};
        enum status rc = ask_id(registry, id, &fresh, err);
        if (rc != ST_OK)
            arena_release(&fresh.arena);
        if (rc == ST_NOT_FOUND)
            cache_add(&registry->cache, id)->absent_till = now_ms + REGISTRY_ABSENT_MS;
        TRY(rc);
        struct cached *item = cache_add(&registry->cache, id);
        item->arena = fresh.arena;
        item->texts = fresh.texts;
        known = item;
    }
    *ret = known->texts;
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
    struct client *client;
    TRY(rest_client_open(config, &client, err));
    struct registry *registry = mem_zalloc(sizeof(*registry));
    registry->lookup.ops = &lookup_ops;
    registry->client = client;
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
    client_encode(path, subject);
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
    enum status rc = body
                         ? client_ask(registry->client, buf_cstr(&text), body, ret, err)
                         : err_set(err, ST_DATA, "registry: the schema is no UTF-8 text");
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

enum status registry_register(struct registry *registry, struct str subject,
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

enum status registry_is_compatible(struct registry *registry, struct str subject,
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
    } else {
        rc = err_set(err, ST_FAIL, "registry: the answer has no \"is_compatible\"");
    }
    json_decref(answer);
    return rc;
}

static enum status incompatible(struct str subject, const struct buf *reasons,
                                struct err *err)
{
    struct str why = buf_as_str(reasons);
    if (why.n == 0)
        why = STR_LITERAL("the registry gives no reasons");
    return err_set(err, ST_CONFLICT,
                   "registry: the schema is not compatible with the latest version of "
                   "subject '%.*s': %.*s; change the columns, or the subject's "
                   "compatibility level",
                   STR_ARGS(subject), STR_ARGS(why));
}

static enum status register_if_compatible(struct registry *registry, struct str subject,
                                          struct str schema, int32_t *ret,
                                          struct err *err)
{
    bool compatible;
    struct buf reasons = BUF_INIT(ERR_TEXT_MAX);
    enum status rc =
        registry_is_compatible(registry, subject, schema, &compatible, &reasons, err);
    if (rc == ST_OK)
        rc = compatible ? registry_register(registry, subject, schema, ret, err)
                        : incompatible(subject, &reasons, err);
    buf_release(&reasons);
    return rc;
}

enum status registry_id_for(struct registry *registry, enum registry_policy policy,
                            struct str subject, struct str schema, int32_t *ret,
                            struct err *err)
{
    if (policy == REGISTER_ALWAYS)
        return registry_register(registry, subject, schema, ret, err);
    enum status rc = registry_find(registry, subject, schema, ret, err);
    if (rc != ST_NOT_FOUND)
        return rc;
    if (policy == REGISTER_IF_COMPATIBLE)
        return register_if_compatible(registry, subject, schema, ret, err);
    return err_set(err, ST_FAIL,
                   "registry: subject '%.*s' does not have this schema, and register = "
                   "'never'; register it, or set register = 'if_compatible'",
                   STR_ARGS(subject));
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
