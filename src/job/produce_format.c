// SPDX-License-Identifier: Apache-2.0
#include "job/produce_format.h"

#include "avro/schema.h"
#include "csv/encoder.h"
#include "job/text_file.h"

static enum status record_name(struct pipeline *pipeline, struct str imposed,
                               struct str *ret, struct err *err)
{
    const struct table *stream = pipeline->plan->stream;
    struct str name = options_text(&stream->format, "schema.name");
    struct str space = options_text(&stream->format, "schema.namespace");
    if (name.p == NULL)
        name = stream->name;
    if (imposed.n == 0) {
        *ret = str_of(arena_printf(&pipeline->arena, "%.*s%s%.*s", STR_ARGS(space),
                                   space.n ? "." : "", STR_ARGS(name)));
        return ST_OK;
    }
    struct avro_schema *schema;
    TRY(avro_schema_parse(&imposed, 1, &schema, err));
    *ret = arena_str(&pipeline->arena, schema->root->name);
    avro_schema_free(schema);
    return ST_OK;
}

static enum status make_subject(struct pipeline *pipeline, struct str imposed,
                                struct produce_format *format, struct err *err)
{
    const struct table *stream = pipeline->plan->stream;
    struct str name;
    TRY(record_name(pipeline, imposed, &name, err));
    AUTO(buf_release) struct buf subject = {0};
    registry_subject(options_text(&stream->format, "subject"),
                     options_text(&stream->options, "topic"), name, &subject);
    format->subject = arena_str(&pipeline->arena, buf_as_str(&subject));
    return buf_check(&subject, "subject", err);
}

static enum status ask_registry(struct pipeline *pipeline, struct registry *registry,
                                struct produce_format *format, struct err *err)
{
    const struct options *options = &pipeline->plan->stream->format;
    struct str schema = avro_datum_encoder_schema(format->avro);
    int32_t known;
    enum status status = registry_find(registry, format->subject, schema, &known, err);
    if (status != ST_OK && status != ST_NOT_FOUND)
        return status;
    format->was_there = status == ST_OK;
    enum registry_policy policy =
        (enum registry_policy)options_number(options, "register");
    TRY(registry_id_for(registry, policy, format->subject, schema, &format->schema_id,
                        err));
    struct registry_version latest;
    if (registry_latest(registry, format->subject, &pipeline->arena, &latest, NULL) ==
            ST_OK &&
        latest.id == format->schema_id)
        format->version = latest.version;
    return ST_OK;
}

enum status produce_format_prepare(struct pipeline *pipeline, struct produce_format *ret,
                                   struct err *err)
{
    const struct table *stream = pipeline->plan->stream;
    *ret = (struct produce_format){0};
    AUTO(buf_release) struct buf imposed = {0};
    if (options_text(&stream->format, "schema").p != NULL)
        TRY(text_file_read(options_text(&stream->format, "schema").p, &imposed, err));
    TRY(make_subject(pipeline, buf_as_str(&imposed), ret, err));
    struct str name = options_text(&stream->format, "schema.name");
    struct avro_schema_options options = {
        .schema = buf_as_str(&imposed),
        .name = name.p ? name : stream->name,
        .namespace = options_text(&stream->format, "schema.namespace"),
    };
    struct err why;
    if (avro_datum_encoder_open(&stream->schema, &options, &ret->avro, &why) != ST_OK)
        ret->why_not = arena_printf(&pipeline->arena, "can only be read: %s", why.text);
    return ST_OK;
}

static enum status open_avro(struct pipeline *pipeline, struct produce_format *format,
                             struct err *err)
{
    const struct table *stream = pipeline->plan->stream;
    TRY(produce_format_prepare(pipeline, format, err));
    if (format->avro == NULL)
        return err_set(err, ST_USAGE, "stream %.*s %s", STR_ARGS(stream->name),
                       format->why_not);
    struct registry *registry;
    TRY(pipeline_registry(pipeline, &stream->format, &registry, err));
    enum status status = ask_registry(pipeline, registry, format, err);
    registry_close(registry);
    return status;
}

enum status produce_format_open(struct pipeline *pipeline, struct produce_format *ret,
                                struct err *err)
{
    *ret = (struct produce_format){0};
    if (!pipeline_is_avro(pipeline->plan->stream)) {
        ret->csv = csv_encoder_open(&pipeline->plan->stream->schema, false);
        return ST_OK;
    }
    enum status status = open_avro(pipeline, ret, err);
    if (status != ST_OK)
        produce_format_close(ret);
    return status;
}

enum status produce_format_row(struct produce_format *format, const struct value *row,
                               size_t n_columns, struct buf *value, struct err *err)
{
    buf_clear(value);
    if (format->avro != NULL)
        return avro_datum_encode(format->avro, format->schema_id, row, value, err);
    format->csv->ops->fields(format->csv, 0, row, n_columns, value);
    return buf_check(value, "record", err);
}

void produce_format_close(struct produce_format *format)
{
    if (format->csv != NULL)
        format->csv->ops->close(format->csv);
    avro_datum_encoder_close(format->avro);
    *format = (struct produce_format){0};
}
