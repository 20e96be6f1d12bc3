// SPDX-License-Identifier: Apache-2.0
#include "job/produce_format.h"

static enum status make_subject(struct pipeline *pipeline,
                                const struct format_table *table,
                                struct produce_format *format, struct err *err)
{
    const struct options *options = &pipeline->plan->stream->options;
    AUTO(buf_release) struct buf name = {0};
    AUTO(buf_release) struct buf subject = {0};
    TRY(format_of(table->options)->schemas->record_name(table, &name, err));
    registry_subject(options_text(table->options, "subject"),
                     options_text(options, connector_of(options)->place),
                     buf_as_str(&name), &subject);
    format->subject = arena_str(&pipeline->arena, buf_as_str(&subject));
    return buf_check(&subject, "subject", err);
}

static enum status ask_registry(struct pipeline *pipeline, struct registry *registry,
                                struct produce_format *format, struct err *err)
{
    const struct options *options = &pipeline->plan->stream->format;
    struct record_encoder *encoder = format->encoder;
    int32_t known;
    enum status status =
        registry_find(registry, format->subject, encoder->schema, &known, err);
    if (status != ST_OK && status != ST_NOT_FOUND)
        return status;
    format->was_there = status == ST_OK;
    enum registry_policy policy =
        (enum registry_policy)options_number(options, "register");
    TRY(registry_id_for(registry, policy, format->subject, encoder->schema,
                        &encoder->schema_id, err));
    struct registry_version latest;
    if (registry_latest(registry, format->subject, &pipeline->arena, &latest, NULL) ==
            ST_OK &&
        latest.id == encoder->schema_id)
        format->version = latest.version;
    return ST_OK;
}

enum status produce_format_prepare(struct pipeline *pipeline, struct produce_format *ret,
                                   struct err *err)
{
    const struct format_table table = plan_format_table(pipeline->plan->stream);
    *ret = (struct produce_format){0};
    TRY(make_subject(pipeline, &table, ret, err));
    struct err why;
    if (format_of(table.options)->records->open_encoder(&table, &ret->encoder, &why) !=
        ST_OK)
        ret->why_not = arena_printf(&pipeline->arena, "can only be read: %s", why.text);
    return ST_OK;
}

static enum status open_registered(struct pipeline *pipeline,
                                   struct produce_format *format, struct err *err)
{
    const struct table *stream = pipeline->plan->stream;
    TRY(produce_format_prepare(pipeline, format, err));
    if (format->encoder == NULL)
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
    const struct format_table table = plan_format_table(pipeline->plan->stream);
    const struct format *format = format_of(table.options);
    *ret = (struct produce_format){0};
    if (format->schemas == NULL)
        return format->records->open_encoder(&table, &ret->encoder, err);
    enum status status = open_registered(pipeline, ret, err);
    if (status != ST_OK)
        produce_format_close(ret);
    return status;
}

void produce_format_close(struct produce_format *format)
{
    if (format->encoder != NULL)
        format->encoder->ops->close(format->encoder);
    *format = (struct produce_format){0};
}
