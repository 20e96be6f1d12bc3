// SPDX-License-Identifier: Apache-2.0
// Options "kafka.<name>", which go to the client as they are.
#include "kafka/connector.h"

// Options of the client that the program sets, and what to write instead.
static const struct {
    const char *name, *instead;
} own_client_options[] = {
    {"bootstrap.servers", "write brokers = '...'"},
    {"metadata.broker.list", "write brokers = '...'"},
    {"group.id", "write \"group\" = '...'"},
    {"group.instance.id", "a worker leaves the group when it ends"},
    {"session.timeout.ms", "write \"session.timeout\" = '6s'"},
    {"enable.auto.commit", "progress lives with the result, not in Kafka"},
    {"enable.auto.offset.store", "progress lives with the result, not in Kafka"},
    {"auto.offset.reset", "write start = 'earliest' or 'latest'"},
    {"isolation.level", "aborted records are never read"},
    {"enable.partition.eof", "the source needs it as it is"},
    {"partition.assignment.strategy", "the source needs it as it is"},
    {"queued.min.messages", "write SET source.buffer = '384MB'"},
    {"queued.max.messages.kbytes", "write SET source.buffer = '384MB'"},
    {"check.crcs", "it is always on"},
    {"enable.idempotence", "it is always on"},
    {"transactional.id", "the producer uses no transactions"},
    {"partitioner", "keys go where Java's producer puts them"},
};

static const char *is_taken(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(own_client_options); i++)
        if (str_is(name, own_client_options[i].name))
            return own_client_options[i].instead;
    return NULL;
}

static bool is_secret(struct str name)
{
    return memmem(name.p, name.n, "password", 8) != NULL ||
           memmem(name.p, name.n, "secret", 6) != NULL || str_is(name, "ssl.key.pem") ||
           str_is(name, "sasl.oauthbearer.config");
}

static enum status check(struct str name, struct str value, struct err *err)
{
    AUTO(arena_release) struct arena arena = {0};
    const struct kafka_property property = {arena_cstr(&arena, name),
                                            arena_cstr(&arena, value)};
    const struct kafka_config config = {
        .brokers = "",
        .properties = &property,
        .n_properties = 1,
    };
    return kafka_config_check(&config, err);
}

const struct connector_client kafka_connector_client = {
    .prefix = "kafka.",
    .is_taken = is_taken,
    .is_secret = is_secret,
    .check = check,
};
