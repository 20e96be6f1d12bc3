// SPDX-License-Identifier: Apache-2.0
#include "registry/references.h"

#include "avro/schema.h"
#include "http/url.h"

// A version of a subject whose text is collected, or about to be.
struct seen {
    const char *subject;
    json_int_t version;
};

struct collector {
    struct registry_client *client;
    struct arena *arena;
    struct seen seen[REFERENCES_MAX];
    size_t n_seen;
    struct str *texts; // REFERENCES_MAX + 1
    size_t n_texts;
    size_t n_bytes; // of the texts
};

static enum status collect(struct collector *c, const json_t *answer, struct err *err);

// Notes it; false when it was noted before.
static bool is_new(struct collector *c, const char *subject, json_int_t version)
{
    for (size_t i = 0; i < c->n_seen; i++)
        if (strcmp(c->seen[i].subject, subject) == 0 && c->seen[i].version == version)
            return false;
    c->seen[c->n_seen++] = (struct seen){arena_cstr(c->arena, str_of(subject)), version};
    return true;
}

static enum status collect_one(struct collector *c, const json_t *reference,
                               struct err *err)
{
    const char *subject = json_string_value(json_object_get(reference, "subject"));
    const json_t *version = json_object_get(reference, "version");
    if (subject == NULL || !json_is_integer(version))
        return err_set(err, ST_DATA, "a reference without subject and version");
    if (c->n_seen == REFERENCES_MAX)
        return err_set(err, ST_DATA, "more than %d references", REFERENCES_MAX);
    if (!is_new(c, subject, json_integer_value(version)))
        return ST_OK;
    struct buf path = {0};
    buf_text(&path, "/subjects/");
    http_url_escape(&path, str_of(subject), false);
    buf_printf(&path, "/versions/%lld", (long long)json_integer_value(version));
    json_t *answer;
    enum status rc = client_ask_schema(c->client, buf_cstr(&path), &answer, err);
    buf_release(&path);
    TRY(rc);
    rc = collect(c, answer, err);
    json_decref(answer);
    return rc;
}

static enum status collect(struct collector *c, const json_t *answer, struct err *err)
{
    const json_t *schema = json_object_get(answer, "schema");
    const char *type = json_string_value(json_object_get(answer, "schemaType"));
    if (type != NULL && strcmp(type, "AVRO") != 0)
        return err_set(err, ST_DATA, "the schema is of type %s, not AVRO", type);
    if (!json_is_string(schema))
        return err_set(err, ST_FAIL, "the registry's answer has no \"schema\"");
    c->n_bytes += json_string_length(schema);
    if (c->n_bytes > AVRO_TEXT_MAX)
        return err_set(err, ST_DATA, "the schema is longer than %d bytes", AVRO_TEXT_MAX);
    const json_t *references = json_object_get(answer, "references");
    for (size_t i = 0; i < json_array_size(references); i++)
        TRY(collect_one(c, json_array_get(references, i), err));
    c->texts[c->n_texts++] = arena_str(
        c->arena, (struct str){json_string_value(schema), json_string_length(schema)});
    return ST_OK;
}

enum status references_collect(struct registry_client *client, const json_t *answer,
                               struct arena *arena, struct schema_texts *ret,
                               struct err *err)
{
    struct collector c = {
        .client = client,
        .arena = arena,
        .texts = arena_array(arena, REFERENCES_MAX + 1, sizeof(struct str)),
    };
    TRY(collect(&c, answer, err));
    *ret = (struct schema_texts){c.texts, c.n_texts};
    return ST_OK;
}
