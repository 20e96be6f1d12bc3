// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "job/check.h"
#include "job/produce_format.h"
#include "job/stream.h"

enum {
    PARTITIONS_MAX = 16 // whose last record is looked at
};

struct schema_check {
    struct pipeline *pipeline;
    struct checked *checked;
    struct registry *registry;
    struct decoder *decoder;
    struct produce_format format;
    struct arena arena;
};

static const struct format_schemas *schemas_of(const struct schema_check *c)
{
    return format_of(&c->pipeline->plan->stream->format)->schemas;
}

// What the job does not write cannot keep it from running: that is only told.
static bool only_reads(const struct schema_check *c)
{
    return options_is(&c->pipeline->plan->stream->format, "register", "never");
}

static void tell(struct schema_check *c, const char *what, enum status status,
                 const char *text)
{
    check_tell(c->checked, what, c->pipeline->plan->stream->name.p, status, text);
}

// The subject's latest version, read by the script.

static enum status read_latest(struct schema_check *c, char *text, size_t size,
                               struct err *err)
{
    struct registry_version version;
    struct str subject = c->format.subject;
    enum status rc = registry_latest(c->registry, subject, &c->arena, &version, err);
    if (rc == ST_NOT_FOUND && only_reads(c)) {
        snprintf(text, size, "subject '%.*s' is not there, and not needed for reading",
                 STR_ARGS(subject));
        return ST_OK;
    }
    if (rc == ST_NOT_FOUND)
        return err_set(err, ST_NOT_FOUND,
                       "subject '%.*s' is not there; tramline init registers it",
                       STR_ARGS(subject));
    TRY(rc);
    rc = schemas_of(c)->check(c->decoder, &version.texts, err);
    if (rc != ST_OK)
        return err_context(err, rc, "subject '%.*s', id %d, version %d",
                           STR_ARGS(subject), version.id, version.version);
    snprintf(text, size, "subject '%.*s', id %d, version %d: can be read",
             STR_ARGS(subject), version.id, version.version);
    return ST_OK;
}

static void check_latest(struct schema_check *c)
{
    struct err err = {0};
    char text[600] = "";
    enum status status = read_latest(c, text, sizeof(text), &err);
    tell(c, "schema", status, status == ST_OK ? text : err.text);
}

// What produce would write.

static enum status try_writing(struct schema_check *c, char *text, size_t size,
                               struct err *err)
{
    int32_t id;
    struct str schema = c->format.encoder->schema;
    enum status rc = registry_find(c->registry, c->format.subject, schema, &id, err);
    if (rc == ST_OK) {
        snprintf(text, size, "produce writes id %d", id);
        return ST_OK;
    }
    if (rc != ST_NOT_FOUND)
        return rc;
    if (only_reads(c)) {
        snprintf(text, size,
                 "nothing: register = 'never', and the subject does not have "
                 "this script's schema");
        return ST_OK;
    }
    enum registry_policy policy = (enum registry_policy)options_number(
        &c->pipeline->plan->stream->format, "register");
    TRY(registry_check(c->registry, policy, c->format.subject, schema, err));
    snprintf(text, size, "not registered yet; init or produce will do it");
    return ST_OK;
}

static void check_writing(struct schema_check *c)
{
    struct err err = {0};
    char text[100] = "";
    if (c->format.encoder == NULL) {
        tell(c, "produce", ST_OK, c->format.why_not);
        return;
    }
    enum status status = try_writing(c, text, sizeof(text), &err);
    tell(c, "produce", status, status == ST_OK ? text : err.text);
}

// The last record of a partition.

static enum status decode_last(struct schema_check *c, const struct record *record,
                               struct err *err)
{
    struct run run = {.records = record, .n = 1};
    struct batch batch;
    size_t next;
    batch_init(&batch, c->decoder->schema->n);
    enum status rc = c->decoder->ops->decode(c->decoder, &run, 0, &batch, &next, err);
    if (rc == ST_OK && batch.n_rejects)
        rc = err_set(err, ST_DATA, "%.*s", STR_ARGS(batch.rejects[0].reason));
    batch_release(&batch);
    return rc;
}

static enum status check_id(struct schema_check *c, int32_t id, struct err *err)
{
    bool found;
    AUTO(buf_release) struct buf others = BUF_INIT(ERR_TEXT_MAX);
    TRY(registry_subjects_of(c->registry, id, c->format.subject, &found, &others, err));
    if (found || only_reads(c))
        return ST_OK;
    return err_set(err, ST_CONFLICT,
                   "schema id %d is not of subject '%.*s', but of %s; another producer "
                   "writes here, or option subject is wrong",
                   id, STR_ARGS(c->format.subject),
                   others.n ? buf_cstr(&others) : "none");
}

static enum status look_at(struct schema_check *c, const struct record *record,
                           char *text, size_t size, struct err *err)
{
    struct schema_key key;
    char name[SCHEMA_KEY_TEXT];
    bool is_by_header = record->value_schema.p != NULL;
    TRY(decode_last(c, record, err));
    if (record->value.p == NULL) {
        snprintf(text, size, "no value");
        return ST_OK;
    }
    bool good = schemas_of(c)->key_of(record, &key);
    assert(good); // it was decoded
    (void)good;
    if (key.id != 0)
        TRY(check_id(c, key.id, err));
    schema_key_format(&key, name);
    snprintf(text, size, "%s%s", name, is_by_header ? ", in its header" : "");
    return ST_OK;
}

static void check_record(struct schema_check *c, int32_t partition,
                         const struct record *record)
{
    struct err err = {0};
    char said[SCHEMA_KEY_TEXT + 20] = "";
    enum status rc = look_at(c, record, said, sizeof(said), &err);
    char text[ERR_TEXT_MAX + 80];
    snprintf(text, sizeof(text), "partition %" PRId32 ", offset %" PRId64 ": %s",
             partition, record->offset, rc == ST_OK ? said : err.text);
    tell(c, "record", rc, text);
}

static enum status check_partitions(struct schema_check *c, struct topic *topic,
                                    struct err *err)
{
    int32_t n;
    TRY(topic->ops->count(topic, &n, err));
    for (int32_t i = 0; i < n && i < PARTITIONS_MAX; i++) {
        struct topic_range range;
        struct record record;
        TRY(topic->ops->range(topic, i, &range, err));
        if (range.high <= range.low)
            continue;
        enum status rc = topic->ops->fetch(topic, i, range.high - 1, &record, err);
        if (rc == ST_OK)
            check_record(c, i, &record);
        else if (rc != ST_NOT_FOUND) // a transaction's marker stands at the end
            return rc;
    }
    return ST_OK;
}

static void check_stream(struct schema_check *c, struct topic *topic)
{
    struct err err = {0};
    enum status rc = check_partitions(c, topic, &err);
    if (rc != ST_OK)
        tell(c, "record", rc, err.text);
}

static enum status open_check(struct schema_check *c, struct err *err)
{
    struct pipeline *pipeline = c->pipeline;
    TRY(pipeline_registry(pipeline, &pipeline->plan->stream->format, &c->registry, err));
    TRY(stream_decoder_open(pipeline->plan->stream, registry_lookup(c->registry),
                            &c->decoder, err));
    return produce_format_prepare(pipeline, &c->format, err);
}

void check_schemas(struct pipeline *pipeline, struct topic *topic,
                   struct checked *checked)
{
    struct schema_check c = {.pipeline = pipeline, .checked = checked};
    struct err err = {0};
    enum status rc = open_check(&c, &err);
    if (rc == ST_OK) {
        check_latest(&c);
        check_writing(&c);
        if (topic != NULL)
            check_stream(&c, topic);
    } else {
        tell(&c, "schema", rc, err.text);
    }
    if (c.decoder != NULL)
        c.decoder->ops->close(c.decoder);
    produce_format_close(&c.format);
    registry_close(c.registry);
    arena_release(&c.arena);
}
