// SPDX-License-Identifier: Apache-2.0
#include "kafka/consumer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

enum {
    DEFAULT_SESSION_MS = 45000,
    POLL_INTERVAL_MS = 300000, // least max.poll.interval.ms
    DEFAULT_REFRESH_MS = 10000,
    LEAVE_MS = 2000,
    RECORD_OVERHEAD = 280, // bytes of librdkafka for each queued record
    LEAST_QUEUED = 1000,   // of a topic with very many partitions
};
#define DEFAULT_BUFFER_BYTES (INT64_C(384) << 20)

// While one fetch waits for news of idle partitions no other goes to that broker, also
// not for a partition that has much: a short wait. It costs an idle consumer half a
// percent of a core.
static const struct kafka_property defaults[] = {
    {"fetch.wait.max.ms", "50"},
    {"topic.metadata.refresh.interval.ms", "10000"},
};

static const struct kafka_property fixed[] = {
    {"allow.auto.create.topics", "false"},
    {"auto.offset.reset", "error"},
    {"check.crcs", "true"},
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
    {"enable.partition.eof", "true"},
    {"isolation.level", "read_committed"},
    {"partition.assignment.strategy", "range"},
    {"statistics.interval.ms", "0"},
};

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

// librdkafka's limits count for each partition with a queue of its own: one in records,
// one in bytes of values. A quarter of the buffer goes to values, half of it to
// librdkafka's own bytes for each record, so that both limits together stay within it.
// They are passed by one fetch of at least one batch, and what is fetched grows: ten
// times by decompression, nine times by what each short record costs. That is what the
// last quarter is for, and why a fetch is a small part of the share.
static void set_limits(rd_kafka_conf_t *conf, int64_t buffer_bytes, int32_t n_partitions)
{
    int64_t share = buffer_bytes / (n_partitions > 0 ? n_partitions : 1);
    conf_set_number(conf, "queued.min.messages",
                    clamp(share / 2 / RECORD_OVERHEAD, LEAST_QUEUED, 10000000));
    conf_set_number(conf, "queued.max.messages.kbytes",
                    clamp(share / 4 / 1024, 1, 2097151));
    conf_set_number(conf, "fetch.message.max.bytes", clamp(share / 512, 16384, 1 << 20));
}

// The brokers give a static member that comes back its old partitions without asking
// anybody, so partitions that were added meanwhile would stay unread. Their number is
// therefore part of the member's name: after a growth it comes as a new one.
static void set_instance(rd_kafka_conf_t *conf, const char *instance,
                         int32_t n_partitions)
{
    char name[512];
    snprintf(name, sizeof(name), "%s-p%" PRId32, instance, n_partitions);
    conf_set(conf, "group.instance.id", name);
}

static void set_group(rd_kafka_conf_t *conf, const struct kafka_config *config,
                      int32_t n_partitions)
{
    int session_ms =
        config->session_timeout_ms ? config->session_timeout_ms : DEFAULT_SESSION_MS;
    conf_set(conf, "group.id", config->group);
    if (config->instance != NULL && config->membership == KAFKA_GROUP)
        set_instance(conf, config->instance, n_partitions);
    conf_set_number(conf, "session.timeout.ms", session_ms);
    conf_set_number(conf, "max.poll.interval.ms",
                    session_ms > POLL_INTERVAL_MS ? session_ms : POLL_INTERVAL_MS);
}

enum status consumer_open(struct client *client, const struct kafka_config *config,
                          int32_t n_partitions, consumer_rebalance_fn *on_rebalance,
                          struct err *err)
{
    rd_kafka_conf_t *conf;
    TRY(conf_new(config, (struct conf_properties){defaults, ARRAY_LEN(defaults)},
                 (struct conf_properties){fixed, ARRAY_LEN(fixed)}, &conf, err));
    set_limits(conf, config->buffer_bytes ? config->buffer_bytes : DEFAULT_BUFFER_BYTES,
               n_partitions);
    set_group(conf, config, n_partitions);
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    TRY(client_open(client, config, RD_KAFKA_CONSUMER, conf, err));
    rd_kafka_poll_set_consumer(client->rk);
    return ST_OK;
}

// The topic's name was good enough for a question about it, so it is for this.
void consumer_join(struct client *client, const struct kafka_config *config)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, config->topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(client->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    assert(!code);
}

int64_t consumer_refresh_ms(const struct client *client)
{
    char text[24];
    size_t size = sizeof(text);
    int64_t ms;
    rd_kafka_conf_res_t result = rd_kafka_conf_get(
        rd_kafka_conf(client->rk), "topic.metadata.refresh.interval.ms", text, &size);
    if (result != RD_KAFKA_CONF_OK || !str_to_i64(str_of(text), &ms) || ms <= 0)
        return DEFAULT_REFRESH_MS; // -1 turns the client's own looking off
    return ms;
}

void consumer_leave(struct client *client)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(client->rk);
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(client->rk, queue);
    int64_t deadline = client_now_ms() + (error == NULL ? LEAVE_MS : 0);
    while (!rd_kafka_consumer_closed(client->rk) && client_now_ms() < deadline) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(client->rk, 20);
        if (message != NULL)
            rd_kafka_message_destroy(message);
    }
    if (error != NULL)
        rd_kafka_error_destroy(error);
    rd_kafka_queue_destroy(queue);
}
