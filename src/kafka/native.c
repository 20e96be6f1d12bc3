// SPDX-License-Identifier: Apache-2.0
#include "kafka/native.h"

#include <strings.h>

#include "kafka/client.h"
#include "kafka/topic.h"
#include "wire/stream.h"

enum {
    RUN_RECORDS = 4096,
    REFRESH_MS = 300000, // librdkafka's topic.metadata.refresh.interval.ms
};

#define BUFFER_BYTES (INT64_C(384) << 20)

static struct str property_of(const struct kafka_config *config, const char *name)
{
    struct str value = {0};
    for (size_t i = 0; i < config->n_properties; i++)
        if (strcmp(config->properties[i].name, name) == 0)
            value = str_of(config->properties[i].value);
    return value;
}

static bool is_had(const struct kafka_property *property)
{
    if (strcmp(property->name, "security.protocol") == 0)
        return strcasecmp(property->value, "plaintext") == 0;
    return strcmp(property->name, "client.id") == 0 ||
           strcmp(property->name, "topic.metadata.refresh.interval.ms") == 0;
}

enum status kafka_native_check(const struct kafka_config *config, struct err *err)
{
    for (size_t i = 0; i < config->n_properties; i++)
        if (!is_had(&config->properties[i]))
            return err_set(err, ST_USAGE,
                           "option 'kafka.%s' wants client = 'librdkafka': 'native' has "
                           "no TLS and no SASL, and takes only kafka.client.id and "
                           "kafka.topic.metadata.refresh.interval.ms",
                           config->properties[i].name);
    if (config->membership != KAFKA_NONE)
        return err_set(err, ST_USAGE,
                       "topic '%s': client = 'native' joins no group yet; write SET "
                       "membership = 'none', or client = 'librdkafka'",
                       config->topic);
    return ST_OK;
}

static int64_t refresh_ms_of(const struct kafka_config *config)
{
    int64_t ms = 0;
    struct str text = property_of(config, "topic.metadata.refresh.interval.ms");
    return text.p != NULL && str_to_i64(text, &ms) && ms > 0 ? ms : REFRESH_MS;
}

enum status kafka_native_open(const struct kafka_config *config, struct topic *topic,
                              struct stream **ret, struct err *err)
{
    struct str id = property_of(config, "client.id");
    TRY(kafka_native_check(config, err));
    const struct wire_config wire = {
        .brokers = config->brokers,
        .topic = config->topic,
        .group = config->group,
        .client_id = id.p ? id.p : "tramline",
        .n_partitions = kafka_topic_opened_with(topic),
        .buffer_bytes = config->buffer_bytes ? config->buffer_bytes : BUFFER_BYTES,
        .run_records = (size_t)(config->run_records ? config->run_records : RUN_RECORDS),
        .value_schema = config->value_schema,
        .timeout_ms = client_timeout_ms(config),
        .refresh_ms = refresh_ms_of(config),
    };
    return wire_stream_open(&wire, ret, err);
}
