// SPDX-License-Identifier: Apache-2.0
#include "job/stream.h"

#include "base/log.h"
#include "base/text.h"
#include "job/lookup_thread.h"
#include "job/tables.h"
#include "table/used_columns.h"

enum {
    BUFFER_SHARE_MIN = 8 << 20
};

static enum status open_decoder(const struct table *table,
                                const struct decoder_request *request,
                                struct decoder **ret, struct err *err)
{
    const struct format_table as_format = plan_format_table(table);
    const struct format_records *records = format_of(&table->format)->records;
    return records->open_decoder(&as_format, request, ret, err);
}

enum status stream_decoder_open(const struct table *table, struct schema_lookup *lookup,
                                struct decoder **ret, struct err *err)
{
    return open_decoder(table, &(struct decoder_request){.lookup = lookup}, ret, err);
}

// `waits`: as long as the stream says for an id that the registry does not know.
static enum status open_lookup(const struct pipeline *pipeline, bool waits,
                               struct stream_parts *parts, struct err *err)
{
    const struct table *table = pipeline->plan->stream;
    if (format_of(&table->format)->schemas == NULL)
        return ST_OK;
    struct registry_config config;
    pipeline_registry_config(pipeline, &table->format, &config);
    if (!waits)
        config.unknown_wait_ms = 0;
    return lookup_thread_open(&config, &parts->lookup, err);
}

// Of the plan's stream, for what that gives. A look shows all columns.
static enum status open_own_decoder(const struct pipeline *pipeline,
                                    struct stream_parts *parts, struct err *err)
{
    const struct plan *plan = pipeline->plan;
    AUTO(arena_release) struct arena arena = {0};
    struct decoder_request request = {
        .lookup = parts->lookup,
        .stream = parts->stream,
        .key = plan->join_column,
    };
    if (tables_run_natively(plan) && !pipeline->is_look) {
        bool *used = arena_array(&arena, plan->stream->schema.n, sizeof(bool));
        used_columns(plan, used);
        request.used = used;
    }
    return open_decoder(plan->stream, &request, &parts->decoder, err);
}

static const struct connector_stream *connector_stream_of(const struct table *table)
{
    return connector_of(&table->options)->stream;
}

static enum status open_aside(struct pipeline *pipeline, struct stream_parts *parts,
                              struct err *err)
{
    const struct plan *plan = pipeline->plan;
    const struct connector_stream *connector = connector_stream_of(plan->stream);
    const struct stream_request request = pipeline_stream(pipeline);
    TRY(open_lookup(pipeline, true, parts, err));
    TRY(connector->open_topic(&request, &parts->topic, err));
    TRY(connector->look(&request, parts->topic, &parts->stream, err));
    return open_own_decoder(pipeline, parts, err);
}

enum status stream_open_aside(struct pipeline *pipeline, struct stream_parts *ret,
                              struct err *err)
{
    *ret = (struct stream_parts){0};
    enum status status = open_aside(pipeline, ret, err);
    if (status != ST_OK)
        stream_close(ret);
    return status;
}

static enum status open_only_decoder(struct pipeline *pipeline,
                                     struct stream_parts *parts, struct err *err)
{
    const struct table *stream = pipeline->plan->stream;
    const struct stream_request request = pipeline_stream(pipeline);
    TRY(open_lookup(pipeline, false, parts, err));
    if (connector_of(&stream->options)->admin == NULL) {
        TRY(connector_stream_of(stream)->open_topic(&request, &parts->topic, err));
        TRY(connector_stream_of(stream)->look(&request, parts->topic, &parts->stream,
                                              err));
    }
    return open_own_decoder(pipeline, parts, err);
}

enum status stream_open_decoder(struct pipeline *pipeline, struct stream_parts *ret,
                                struct err *err)
{
    *ret = (struct stream_parts){0};
    pipeline->is_look = true;
    enum status status = open_only_decoder(pipeline, ret, err);
    if (status != ST_OK)
        stream_close(ret);
    return status;
}

// Of workers that begin together (kafka/gathering.h).
static enum status tell_members(const struct stream_request *request, struct topic *topic,
                                struct err *err)
{
    int32_t partitions, members = request->members;
    if (members < 2)
        return ST_OK;
    TRY(topic->ops->count(topic, &partitions, err));
    log_info("waits up to 10 s until %d members are in group '%s'", members,
             request->group);
    if (members > partitions)
        log_warn("%d members share the %s of the topic: %d of them will have none",
                 members, text_counted(partitions, "partition", "partitions"),
                 members - partitions);
    return ST_OK;
}

static enum status open_reader(const struct connector_stream *connector,
                               const struct stream_request *request,
                               struct stream_parts *parts, struct err *err)
{
    TRY(connector->open_topic(request, &parts->topic, err));
    TRY(tell_members(request, parts->topic, err));
    parts->asker = asker_open();
    asker_start(parts->asker);
    return connector->open(request, parts->topic, parts->asker, &parts->stream, err);
}

enum status stream_open_teller(struct pipeline *pipeline, struct stream_parts *ret,
                               struct err *err)
{
    const struct table *stream = pipeline->plan->stream;
    *ret = (struct stream_parts){0};
    if (connector_of(&stream->options)->admin == NULL)
        return ST_OK;
    struct stream_request request = pipeline_stream(pipeline);
    request.is_alone = true;
    request.no_ends = true;
    request.members = 0;
    enum status status = open_reader(connector_stream_of(stream), &request, ret, err);
    if (status != ST_OK)
        stream_close(ret);
    else
        ret->stream->ops->hold(ret->stream, true);
    return status;
}

static enum status open_all(struct pipeline *pipeline, struct stream_parts *parts,
                            struct err *err)
{
    const struct plan *plan = pipeline->plan;
    const struct connector_stream *connector = connector_stream_of(plan->stream);
    const struct stream_request request = pipeline_stream(pipeline);
    TRY(open_lookup(pipeline, true, parts, err));
    TRY(open_reader(connector, &request, parts, err));
    return open_own_decoder(pipeline, parts, err);
}

// What the option takes at least: less would not hold a batch as large as brokers take.
static int64_t buffer_share(int64_t buffer_bytes, size_t n)
{
    int64_t bytes = buffer_bytes / (int64_t)n;
    return bytes > BUFFER_SHARE_MIN ? bytes : BUFFER_SHARE_MIN;
}

static enum status open_beside(struct pipeline *pipeline, const struct stream_parts *of,
                               size_t n, struct stream_parts *parts, struct err *err)
{
    struct stream_request request = pipeline_stream(pipeline);
    request.is_alone = true;
    request.buffer_bytes = buffer_share(request.buffer_bytes, n);
    if (of->lookup != NULL)
        parts->lookup = lookup_thread_beside(of->lookup);
    TRY(connector_stream_of(pipeline->plan->stream)
            ->open(&request, of->topic, of->asker, &parts->stream, err));
    return open_own_decoder(pipeline, parts, err);
}

enum status stream_open_beside(struct pipeline *pipeline, const struct stream_parts *of,
                               size_t n, struct stream_parts *ret, struct err *err)
{
    *ret = (struct stream_parts){0};
    enum status status = open_beside(pipeline, of, n, ret, err);
    if (status != ST_OK)
        stream_close(ret);
    return status;
}

enum status stream_check(const struct table *table, struct err *err)
{
    struct decoder *decoder;
    const struct format *format = format_of(&table->format);
    if (format->schemas != NULL && options_text(&table->format, "registry").p == NULL)
        return err_set(err, ST_USAGE,
                       "a stream with format = '%s' needs option "
                       "registry = 'http://host:port/...'",
                       format->options.name);
    TRY(stream_decoder_open(table, NULL, &decoder, err));
    decoder->ops->close(decoder);
    const struct stream_request request = {
        .table = plan_format_table(table),
        .format = format,
        .options = &table->options,
        .client_options = table->client_options,
        .n_client_options = table->n_client_options,
        .is_alone = true, // whether it joins a group is not known yet
    };
    return connector_stream_of(table)->check(&request, err);
}

enum status stream_topic_open(struct pipeline *pipeline, struct topic **ret,
                              struct err *err)
{
    const struct connector_stream *connector =
        connector_stream_of(pipeline->plan->stream);
    const struct stream_request request = pipeline_stream(pipeline);
    struct topic *topic;
    struct stream *stream = NULL;
    TRY(connector->open_topic(&request, &topic, err));
    enum status rc = connector->look(&request, topic, &stream, err);
    if (stream != NULL)
        stream->ops->close(stream);
    if (rc == ST_OK)
        *ret = topic;
    else
        topic->ops->close(topic);
    return rc;
}

enum status stream_open(struct pipeline *pipeline, struct stream_parts *ret,
                        struct err *err)
{
    *ret = (struct stream_parts){0};
    enum status status = open_all(pipeline, ret, err);
    if (status != ST_OK)
        stream_close(ret);
    return status;
}

static void tell_tails(const struct decoder *decoder)
{
    size_t n = decoder != NULL ? decoder->n_tails : 0;
    if (n)
        log_warn("%s empty fields past the last column; they were passed over",
                 text_counted((int64_t)n, "record has", "records have"));
}

void stream_add_tails(struct stream_parts *stream, struct stream_parts *from)
{
    if (from->decoder == NULL)
        return;
    stream->decoder->n_tails += from->decoder->n_tails;
    from->decoder->n_tails = 0;
}

void stream_close(struct stream_parts *parts)
{
    tell_tails(parts->decoder);
    if (parts->decoder != NULL)
        parts->decoder->ops->close(parts->decoder);
    asker_close(parts->asker);
    if (parts->stream != NULL)
        parts->stream->ops->close(parts->stream);
    if (parts->topic != NULL)
        parts->topic->ops->close(parts->topic);
    if (parts->lookup != NULL)
        parts->lookup->ops->close(parts->lookup);
    *parts = (struct stream_parts){0};
}
