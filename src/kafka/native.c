// SPDX-License-Identifier: Apache-2.0
#include "kafka/native.h"

#include "base/arena.h"
#include "kafka/client.h"
#include "kafka/native_security.h"
#include "kafka/topic.h"
#include "wire/stream.h"

enum {
    RUN_RECORDS = 4096,
    REFRESH_MS = 5000,         // between two looks for new partitions
    SESSION_MS = 6000,         // the least that brokers take by default
    POLL_INTERVAL_MS = 300000, // at least; a commit before partitions go has 240 s
};

#define BUFFER_BYTES (INT64_C(384) << 20)

enum status kafka_native_check(const struct kafka_config *config, struct err *err)
{
    struct wire_security_config wished;
    struct wire_security *security;
    TRY(native_check_properties(config, err));
    TRY(native_security_of(config, &wished, err));
    TRY(wire_security_open(&wished, &security, err)); // files and passwords that fit
    wire_security_close(security);
    return ST_OK;
}

static int64_t refresh_ms_of(const struct kafka_config *config)
{
    int64_t ms = 0;
    struct str text = native_property(config, "topic.metadata.refresh.interval.ms");
    return text.p != NULL && str_to_i64(text, &ms) && ms > 0 ? ms : REFRESH_MS;
}

// As consumers of librdkafka are called.
static const char *client_id_of(const struct kafka_config *config, struct arena *arena)
{
    struct str id = native_property(config, "client.id");
    if (id.p != NULL)
        return arena_cstr(arena, id);
    AUTO(buf_release) struct buf name = {0};
    buf_text(&name, "tramline");
    if (config->instance != NULL)
        buf_printf(&name, "/%s", config->instance);
    return arena_cstr(arena, buf_as_str(&name));
}

enum status kafka_native_open(const struct kafka_config *config, struct topic *topic,
                              struct stream **ret, struct err *err)
{
    AUTO(arena_release) struct arena arena = {0};
    int session_ms = config->session_timeout_ms ? config->session_timeout_ms : SESSION_MS;
    struct wire_security_config security;
    TRY(kafka_native_check(config, err));
    TRY(native_security_of(config, &security, err));
    const struct wire_config wire = {
        .brokers = config->brokers,
        .topic = config->topic,
        .group = config->group,
        .is_member = config->membership == KAFKA_GROUP,
        .instance = config->member,
        .session_ms = session_ms,
        .max_poll_ms = session_ms > POLL_INTERVAL_MS ? session_ms : POLL_INTERVAL_MS,
        .members = config->members,
        .client_id = client_id_of(config, &arena),
        .n_partitions = kafka_topic_opened_with(topic),
        .buffer_bytes = config->buffer_bytes ? config->buffer_bytes : BUFFER_BYTES,
        .run_records = (size_t)(config->run_records ? config->run_records : RUN_RECORDS),
        .value_schema = config->value_schema,
        .timeout_ms = client_timeout_ms(config),
        .refresh_ms = refresh_ms_of(config),
        .security = security,
    };
    return wire_stream_open(&wire, ret, err);
}
