// SPDX-License-Identifier: Apache-2.0
// The topic of a stream: what init, check --live and produce do with it.
#include <stdlib.h>

#include "kafka/admin.h"
#include "kafka/connector.h"
#include "kafka/native_topic.h"
#include "kafka/producer.h"

static struct topic_shape shape_of(struct kafka_topic topic)
{
    return (struct topic_shape){topic.partitions, topic.replication};
}

static enum status describe_topic(const struct kafka_config *config,
                                  struct kafka_topic *ret, struct err *err)
{
    struct kafka_admin *admin;
    if (config->is_native)
        return native_describe(config, ret, err);
    TRY(kafka_admin_open(config, &admin, err));
    enum status rc = kafka_admin_describe(admin, config->topic, ret, err);
    kafka_admin_close(admin);
    return rc;
}

static enum status describe(const struct stream_request *request, struct topic_shape *ret,
                            struct err *err)
{
    AUTO(arena_release) struct arena arena = {0};
    const struct kafka_config config = kafka_config_of(request, &arena);
    struct kafka_topic topic;
    TRY(describe_topic(&config, &topic, err));
    *ret = shape_of(topic);
    return ST_OK;
}

static enum status create_topic(const struct kafka_config *config,
                                struct kafka_topic wanted, struct err *err)
{
    struct kafka_admin *admin;
    if (config->is_native)
        return native_create(config, wanted, err);
    TRY(kafka_admin_open(config, &admin, err));
    enum status rc = kafka_admin_create(admin, config->topic, wanted, err);
    kafka_admin_close(admin);
    return rc;
}

static enum status make_unless_there(const struct kafka_config *config,
                                     const struct options *options,
                                     struct kafka_topic *ret, bool *ret_made,
                                     struct err *err)
{
    const struct kafka_topic wanted = {
        .partitions = (int32_t)options_number(options, "partitions"),
        .replication = (int32_t)options_number(options, "replication"),
    };
    *ret_made = false;
    enum status rc = describe_topic(config, ret, err);
    if (rc != ST_NOT_FOUND)
        return rc;
    rc = create_topic(config, wanted, err);
    *ret_made = rc == ST_OK;
    return rc == ST_OK || rc == ST_EXISTS ? describe_topic(config, ret, err) : rc;
}

static enum status make(const struct stream_request *request, struct topic_shape *ret,
                        bool *ret_made, struct err *err)
{
    AUTO(arena_release) struct arena arena = {0};
    const struct kafka_config config = kafka_config_of(request, &arena);
    struct kafka_topic there;
    TRY(make_unless_there(&config, request->options, &there, ret_made, err));
    *ret = shape_of(there);
    return ST_OK;
}

static enum status members(const struct stream_request *request, size_t *ret,
                           struct buf *names, struct err *err)
{
    AUTO(arena_release) struct arena arena = {0};
    const struct kafka_config config = kafka_config_of(request, &arena);
    struct kafka_admin *admin;
    if (config.is_native)
        return native_members(&config, request->group, ret, names, err);
    TRY(kafka_admin_open(&config, &admin, err));
    enum status rc = kafka_admin_members(admin, request->group, ret, names, err);
    kafka_admin_close(admin);
    return rc;
}

struct topic_producer {
    struct producer producer; // first member
    struct kafka_producer *kafka;
};

static enum status produce(struct producer *producer, const struct produced *record,
                           struct err *err)
{
    struct kafka_producer *kafka = ((struct topic_producer *)producer)->kafka;
    return kafka_producer_produce(kafka, record, err);
}

static enum status flush(struct producer *producer, const struct deadline *deadline,
                         struct delivery *ret, struct err *err)
{
    struct kafka_producer *kafka = ((struct topic_producer *)producer)->kafka;
    struct kafka_delivery delivery;
    enum status rc = kafka_producer_flush(kafka, deadline, &delivery, err);
    *ret = (struct delivery){delivery.n_acknowledged, delivery.n_unsent};
    return rc;
}

static void producer_close(struct producer *producer)
{
    struct topic_producer *topic = (struct topic_producer *)producer;
    if (topic == NULL)
        return;
    kafka_producer_close(topic->kafka);
    free(topic);
}

static const struct producer_ops producer_ops = {
    .produce = produce,
    .flush = flush,
    .close = producer_close,
};

static enum status open_producer(const struct stream_request *request,
                                 struct producer **ret, struct err *err)
{
    AUTO(arena_release) struct arena arena = {0};
    const struct kafka_config config = kafka_config_of(request, &arena);
    struct kafka_producer *kafka;
    TRY(kafka_producer_open(&config, &kafka, err));
    struct topic_producer *topic = mem_zalloc(sizeof(*topic));
    topic->producer.ops = &producer_ops;
    topic->kafka = kafka;
    *ret = &topic->producer;
    return ST_OK;
}

const struct connector_admin kafka_connector_admin = {
    .describe = describe,
    .make = make,
    .members = members,
    .open_producer = open_producer,
};
