// SPDX-License-Identifier: Apache-2.0
#include "kafka/native_topic.h"

#include <stdlib.h>

#include "base/mem.h"
#include "kafka/client.h"
#include "kafka/native_security.h"
#include "wire/lookup.h"

#define ANSWER_BYTES (INT64_C(384) << 20)

struct native_topic {
    struct topic base; // first: a native_topic is a topic
    struct wire_lookup lookup;
    int32_t opened_with;
    char *name, *group;
};

static enum status open_lookup(const struct kafka_config *config,
                               struct wire_lookup *lookup, struct err *err)
{
    struct str id = native_property(config, "client.id");
    struct wire_asking_config wire = {
        .brokers = config->brokers,
        .topic = config->topic,
        .client_id = id.p ? id.p : "tramline",
        .timeout_ms = client_timeout_ms(config),
        .most_bytes = config->buffer_bytes ? config->buffer_bytes : ANSWER_BYTES,
    };
    TRY(native_check_properties(config, err));
    TRY(native_security_of(config, &wire.security, err));
    TRY(wire_lookup_open(lookup, &wire, err));
    lookup->asking.deadline = config->deadline;
    lookup->value_schema = config->value_schema;
    return ST_OK;
}

static struct wire_lookup *begin(struct topic *base)
{
    struct wire_lookup *lookup = &((struct native_topic *)base)->lookup;
    lookup->asking.deadline = base->deadline;
    return lookup;
}

static enum status count(struct topic *topic, int32_t *ret, struct err *err)
{
    struct wire_shape shape;
    TRY(wire_lookup_shape(begin(topic), &shape, err));
    *ret = shape.partitions;
    return ST_OK;
}

static enum status range(struct topic *topic, int32_t partition, struct topic_range *ret,
                         struct err *err)
{
    return wire_lookup_range(begin(topic), partition, ret, err);
}

static enum status offset_at(struct topic *topic, int32_t partition, int64_t time_ms,
                             int64_t *ret, struct err *err)
{
    return wire_lookup_offset_at(begin(topic), partition, time_ms, ret, err);
}

static enum status fetch(struct topic *topic, int32_t partition, int64_t offset,
                         struct record *ret, struct err *err)
{
    return wire_lookup_fetch(begin(topic), partition, offset, ret, err);
}

static enum status id(struct topic *topic, char ret[TOPIC_ID_TEXT], struct err *err)
{
    return wire_lookup_id(begin(topic), ret, err);
}

static enum status epoch_end(struct topic *topic, int32_t partition, int32_t epoch,
                             int64_t *ret, struct err *err)
{
    return wire_lookup_epoch_end(begin(topic), partition, epoch, ret, err);
}

static void topic_close(struct topic *topic)
{
    struct native_topic *native = (struct native_topic *)topic;
    wire_lookup_close(&native->lookup);
    free(native->name);
    free(native->group);
    free(native);
}

static const struct topic_ops native_topic_ops = {
    .count = count,
    .range = range,
    .offset_at = offset_at,
    .fetch = fetch,
    .id = id,
    .epoch_end = epoch_end,
    .close = topic_close,
};

static enum status begin_topic(struct native_topic *native,
                               const struct kafka_config *config, struct err *err)
{
    struct wire_shape shape;
    TRY(open_lookup(config, &native->lookup, err));
    TRY(wire_lookup_shape(&native->lookup, &shape, err));
    if (native->lookup.cluster == NULL)
        return err_set(err, ST_FAIL, "brokers %s: they do not tell their cluster's id",
                       config->brokers);
    native->opened_with = shape.partitions;
    native->name = mem_strdup(config->topic);
    native->group = config->group != NULL ? mem_strdup(config->group) : NULL;
    return ST_OK;
}

enum status native_topic_open(const struct kafka_config *config, struct topic **ret,
                              struct err *err)
{
    struct native_topic *native = mem_zalloc(sizeof(*native));
    enum status rc = begin_topic(native, config, err);
    if (rc != ST_OK) {
        topic_close(&native->base);
        return rc;
    }
    native->base = (struct topic){
        .ops = &native_topic_ops,
        .cluster = str_of(native->lookup.cluster),
        .name = str_of(native->name),
        .is_shared = true,
        .ends_anywhere = true,
        .deadline = config->deadline,
    };
    *ret = &native->base;
    return ST_OK;
}

bool native_topic_is(const struct topic *topic)
{
    return topic->ops == &native_topic_ops;
}

enum status native_topic_group(struct topic *topic, struct group_look *ret,
                               struct err *err)
{
    const struct native_topic *native = (struct native_topic *)topic;
    *ret = (struct group_look){0};
    return wire_lookup_group(begin(topic), native->group, &ret->members, &ret->is_stable,
                             NULL, err);
}

int32_t native_topic_opened_with(const struct topic *topic)
{
    return ((const struct native_topic *)topic)->opened_with;
}

// ---- init and check --live

static struct kafka_topic topic_of(struct wire_shape shape)
{
    return (struct kafka_topic){shape.partitions, shape.replication};
}

enum status native_describe(const struct kafka_config *config, struct kafka_topic *ret,
                            struct err *err)
{
    struct wire_lookup lookup = {0};
    struct wire_shape shape;
    enum status rc = open_lookup(config, &lookup, err);
    if (rc == ST_OK)
        rc = wire_lookup_shape(&lookup, &shape, err);
    if (rc == ST_OK)
        *ret = topic_of(shape);
    wire_lookup_close(&lookup);
    return rc;
}

enum status native_create(const struct kafka_config *config, struct kafka_topic wanted,
                          struct err *err)
{
    struct wire_lookup lookup = {0};
    const struct wire_shape shape = {.partitions = wanted.partitions,
                                     .replication = wanted.replication};
    enum status rc = open_lookup(config, &lookup, err);
    if (rc == ST_OK)
        rc = wire_lookup_create(&lookup, shape, err);
    wire_lookup_close(&lookup);
    return rc;
}

enum status native_members(const struct kafka_config *config, const char *group,
                           size_t *ret, struct buf *names, struct err *err)
{
    struct wire_lookup lookup = {0};
    bool is_stable;
    enum status rc = open_lookup(config, &lookup, err);
    if (rc == ST_OK)
        rc = wire_lookup_group(&lookup, group, ret, &is_stable, names, err);
    wire_lookup_close(&lookup);
    return rc;
}
