// SPDX-License-Identifier: Apache-2.0
#include "job/stream.h"

#include "avro/decoder.h"
#include "base/log.h"
#include "csv/decoder.h"
#include "csv/file_stream.h"
#include "csv/file_topic.h"
#include "job/lookup_thread.h"
#include "job/tables.h"
#include "job/text_file.h"
#include "kafka/stream.h"
#include "kafka/topic.h"
#include "table/used_columns.h"

// Over its topic; says which columns its header lacks.
static enum status open_file(const struct table *table, struct topic *topic,
                             struct stream **ret, struct err *err)
{
    bool header = options_number(&table->format, "header");
    TRY(csv_file_stream_open(topic, header ? &table->schema : NULL, ret, err));
    const struct csv_header *found = csv_file_stream_header(*ret);
    if (found != NULL && found->absent != NULL)
        log_warn("%s has no %s: NULL in every record", csv_file_topic_file(topic).path,
                 found->absent);
    return ST_OK;
}

static enum status open_topic(struct pipeline *pipeline, struct topic **ret,
                              struct err *err)
{
    const struct table *table = pipeline->plan->stream;
    struct kafka_config config;
    if (str_is(table->connector, "file"))
        return csv_file_topic_open(options_text(&table->options, "path").p, ret, err);
    pipeline_kafka(pipeline, &config);
    return kafka_topic_open(&config, ret, err);
}

static enum status open_stream(struct pipeline *pipeline, struct stream_parts *parts,
                               struct err *err)
{
    const struct plan *plan = pipeline->plan;
    struct kafka_config config;
    if (str_is(plan->stream->connector, "file")) {
        TRY(open_file(plan->stream, parts->topic, &parts->stream, err));
        csv_file_stream_limit(parts->stream,
                              (size_t)options_number(&plan->settings, "batch.records"));
        return ST_OK;
    }
    pipeline_kafka(pipeline, &config);
    return kafka_stream_open(&config, parts->topic, parts->asker, &parts->stream, err);
}

static enum status open_avro(const struct table *table, struct schema_lookup *lookup,
                             struct decoder **ret, struct err *err)
{
    AUTO(buf_release) struct buf schema = {0};
    const char *file = options_text(&table->format, "schema").p;
    if (file != NULL)
        TRY(text_file_read(file, &schema, err));
    struct avro_decoder_config config = {
        .columns = &table->schema,
        .reader_schema = buf_as_str(&schema),
        .lookup = lookup,
        .reject_unreadable = true,
    };
    enum status rc = avro_decoder_open(&config, ret, err);
    return rc != ST_OK && file != NULL ? err_context(err, rc, "%s", file) : rc;
}

enum status stream_decoder_open(const struct table *table, struct schema_lookup *lookup,
                                const struct csv_header *header, struct str key,
                                const bool *used, struct decoder **ret, struct err *err)
{
    if (pipeline_is_avro(table))
        return open_avro(table, lookup, ret, err);
    struct csv_decoder_options options = {
        .header = header,
        .trim = options_number(&table->format, "trim"),
        .key = key.n ? schema_find(&table->schema, key) : -1,
        .used = used,
    };
    return csv_decoder_open(&table->schema, &options, ret, err);
}

static enum status open_lookup(const struct pipeline *pipeline,
                               struct stream_parts *parts, struct err *err)
{
    const struct table *table = pipeline->plan->stream;
    if (!pipeline_is_avro(table))
        return ST_OK;
    struct registry_config config;
    pipeline_registry_config(pipeline, &table->format, &config);
    return lookup_thread_open(&config, &parts->lookup, err);
}

// Of the plan's stream. A look shows all columns.
static enum status open_decoder(const struct pipeline *pipeline,
                                struct schema_lookup *lookup,
                                const struct csv_header *header, struct decoder **ret,
                                struct err *err)
{
    const struct plan *plan = pipeline->plan;
    AUTO(arena_release) struct arena arena = {0};
    bool *used = NULL;
    if (tables_run_natively(plan) && !pipeline->is_look) {
        used = arena_array(&arena, plan->stream->schema.n, sizeof(bool));
        used_columns(plan, used);
    }
    return stream_decoder_open(plan->stream, lookup, header, plan->join_column, used, ret,
                               err);
}

static enum status open_aside(struct pipeline *pipeline, struct stream_parts *parts,
                              struct err *err)
{
    const struct table *table = pipeline->plan->stream;
    const struct csv_header *header = NULL;
    TRY(open_lookup(pipeline, parts, err));
    TRY(open_topic(pipeline, &parts->topic, err));
    if (str_is(table->connector, "file")) {
        TRY(open_file(table, parts->topic, &parts->stream, err));
        header = csv_file_stream_header(parts->stream);
    }
    return open_decoder(pipeline, parts->lookup, header, &parts->decoder, err);
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

static enum status open_all(struct pipeline *pipeline, struct stream_parts *parts,
                            struct err *err)
{
    TRY(open_lookup(pipeline, parts, err));
    TRY(open_topic(pipeline, &parts->topic, err));
    parts->asker = asker_open();
    asker_start(parts->asker);
    TRY(open_stream(pipeline, parts, err));
    const struct table *table = pipeline->plan->stream;
    const struct csv_header *header = NULL;
    if (str_is(table->connector, "file"))
        header = csv_file_stream_header(parts->stream);
    return open_decoder(pipeline, parts->lookup, header, &parts->decoder, err);
}

static enum status check_client(const struct table *table, struct err *err)
{
    AUTO(arena_release) struct arena arena = {0};
    const struct kafka_config config = {
        .brokers = "",
        .properties = pipeline_client_options(table, &arena),
        .n_properties = table->n_client_options,
    };
    return kafka_config_check_sasl(&config, err);
}

enum status stream_check(const struct table *table, struct err *err)
{
    struct decoder *decoder;
    if (pipeline_is_avro(table) && options_text(&table->format, "registry").p == NULL)
        return err_set(err, ST_USAGE,
                       "a stream with format = 'avro' needs option "
                       "registry = 'http://host:port/...'");
    TRY(stream_decoder_open(table, NULL, NULL, (struct str){0}, NULL, &decoder, err));
    decoder->ops->close(decoder);
    return check_client(table, err);
}

enum status stream_topic_open(struct pipeline *pipeline, struct topic **ret,
                              struct err *err)
{
    const struct table *table = pipeline->plan->stream;
    struct stream *file;
    struct topic *topic;
    TRY(open_topic(pipeline, &topic, err));
    enum status rc = ST_OK;
    if (str_is(table->connector, "file") &&
        (rc = open_file(table, topic, &file, err)) == ST_OK)
        file->ops->close(file);
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
    if (status == ST_OK && !pipeline_is_avro(pipeline->plan->stream))
        ret->csv = ret->decoder;
    if (status != ST_OK)
        stream_close(ret);
    return status;
}

static void tell_tails(const struct decoder *csv)
{
    size_t n = csv != NULL ? csv_decoder_n_tails(csv) : 0;
    if (n)
        log_warn(
            "%zu records have empty fields past the last column; they were passed over",
            n);
}

void stream_close(struct stream_parts *parts)
{
    tell_tails(parts->csv);
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
