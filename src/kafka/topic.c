// SPDX-License-Identifier: Apache-2.0
#include "kafka/topic.h"

#include <stdlib.h>

#include "base/mem.h"
#include "kafka/lookup.h"
#include "kafka/native_topic.h"

struct kafka_topic_port {
    struct topic base; // first: a kafka_topic_port is a topic
    struct kafka_lookup lookup;
    int32_t opened_with;
    char *group;
};

// What the handle has to say does not pile up.
static struct kafka_lookup *begin(struct topic *base)
{
    struct kafka_lookup *lookup = &((struct kafka_topic_port *)base)->lookup;
    rd_kafka_poll(lookup->client.rk, 0);
    lookup->client.deadline = base->deadline;
    return lookup;
}

static enum status count(struct topic *topic, int32_t *ret, struct err *err)
{
    return lookup_count(begin(topic), ret, err);
}

static enum status range(struct topic *topic, int32_t partition, struct topic_range *ret,
                         struct err *err)
{
    return lookup_range(begin(topic), partition, ret, err);
}

static enum status offset_at(struct topic *topic, int32_t partition, int64_t time_ms,
                             int64_t *ret, struct err *err)
{
    return lookup_offset_at(begin(topic), partition, time_ms, ret, err);
}

static enum status fetch(struct topic *topic, int32_t partition, int64_t offset,
                         struct record *ret, struct err *err)
{
    return lookup_fetch(begin(topic), partition, offset, ret, err);
}

static void topic_close(struct topic *topic)
{
    struct kafka_topic_port *port = (struct kafka_topic_port *)topic;
    lookup_close(&port->lookup);
    free(port->group);
    free(port);
}

static const struct topic_ops kafka_topic_ops = {
    .count = count,
    .range = range,
    .offset_at = offset_at,
    .fetch = fetch,
    .close = topic_close,
};

enum status kafka_topic_open(const struct kafka_config *config, struct topic **ret,
                             struct err *err)
{
    if (config->is_native)
        return native_topic_open(config, ret, err);
    struct kafka_topic_port *topic = mem_zalloc(sizeof(*topic));
    enum status rc = lookup_open(&topic->lookup, config, &topic->opened_with, err);
    if (rc != ST_OK) {
        topic_close(&topic->base);
        return rc;
    }
    topic->base = (struct topic){
        .ops = &kafka_topic_ops,
        .cluster = str_of(topic->lookup.cluster),
        .name = str_of(topic->lookup.topic),
        .is_shared = true,
        .ends_anywhere = true,
        .deadline = config->deadline,
    };
    topic->group = config->group != NULL ? mem_strdup(config->group) : NULL;
    *ret = &topic->base;
    return ST_OK;
}

enum status kafka_topic_group(struct topic *base, struct group_look *ret, struct err *err)
{
    if (native_topic_is(base))
        return native_topic_group(base, ret, err);
    const struct kafka_topic_port *topic = (struct kafka_topic_port *)base;
    return group_look(&begin(base)->client, topic->group, ret, NULL, err);
}

int32_t kafka_topic_opened_with(const struct topic *topic)
{
    if (native_topic_is(topic))
        return native_topic_opened_with(topic);
    return ((const struct kafka_topic_port *)topic)->opened_with;
}
