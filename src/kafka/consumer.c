// SPDX-License-Identifier: Apache-2.0
#include "kafka/consumer.h"

#include <assert.h>

enum {
    DEFAULT_SESSION_MS = 6000, // the least that brokers take by default
    POLL_INTERVAL_MS = 300000, // least max.poll.interval.ms
    DEFAULT_REFRESH_MS = 5000,
    LEAVE_MS = 2000,       // for the rest of a rebalance and for the leave's answer
    LEAVE_STEP_MS = 10,    // between two looks whether it has left
    RECORD_OVERHEAD = 280, // bytes of librdkafka for each queued record
    LEAST_QUEUED = 1000,   // of a topic with very many partitions
    STATS_LEAST_MS = 500,
    STATS_PARTITION_MS = 5, // of each partition: a kilobyte of statistics
};
#define DEFAULT_BUFFER_BYTES (INT64_C(384) << 20)

// While one fetch waits for news of idle partitions no other goes to that broker, also
// not for a partition that has much: a short wait. It costs an idle consumer half a
// percent of a core. A rebalance is heard of by the next heartbeat: a second, so that the
// partitions of a member that left are not idle for longer.
static const struct kafka_property defaults[] = {
    {"fetch.wait.max.ms", "50"},
    {"heartbeat.interval.ms", "1000"},
    {"topic.metadata.refresh.interval.ms", "5000"},
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

// Where partitions end (ends.h): within a second, but for topics of very many. They wait
// in the client's memory for whoever polls.
static void set_statistics(rd_kafka_conf_t *conf, bool no_ends, int32_t n_partitions,
                           consumer_stats_fn *on_stats)
{
    int64_t ms = clamp(STATS_PARTITION_MS * (int64_t)n_partitions, STATS_LEAST_MS, 10000);
    conf_set_number(conf, "statistics.interval.ms", no_ends ? 0 : ms);
    rd_kafka_conf_set_stats_cb(conf, on_stats);
}

static void set_group(rd_kafka_conf_t *conf, const struct kafka_config *config)
{
    int session_ms =
        config->session_timeout_ms ? config->session_timeout_ms : DEFAULT_SESSION_MS;
    conf_set(conf, "group.id", config->group);
    conf_set_number(conf, "session.timeout.ms", session_ms);
    conf_set_number(conf, "max.poll.interval.ms",
                    session_ms > POLL_INTERVAL_MS ? session_ms : POLL_INTERVAL_MS);
}

enum status consumer_open(struct kafka_client *client, const struct kafka_config *config,
                          int32_t n_partitions, consumer_rebalance_fn *on_rebalance,
                          consumer_stats_fn *on_stats, struct err *err)
{
    rd_kafka_conf_t *conf;
    TRY(conf_new(config, (struct conf_properties){defaults, ARRAY_LEN(defaults)},
                 (struct conf_properties){fixed, ARRAY_LEN(fixed)}, &conf, err));
    set_limits(conf, config->buffer_bytes ? config->buffer_bytes : DEFAULT_BUFFER_BYTES,
               n_partitions);
    set_group(conf, config);
    set_statistics(conf, config->no_ends, n_partitions, on_stats);
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    TRY(client_open(client, config, RD_KAFKA_CONSUMER, conf, err));
    rd_kafka_poll_set_consumer(client->rk);
    return ST_OK;
}

// The topic's name was good enough for a question about it, so it is for this.
void consumer_join(struct kafka_client *client, const struct kafka_config *config)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, config->topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(client->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    assert(!code);
}

int64_t consumer_refresh_ms(const struct kafka_client *client)
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

static void drop_messages(rd_kafka_t *rk, int wait_ms)
{
    rd_kafka_message_t *message;
    while ((message = rd_kafka_consumer_poll(rk, wait_ms)) != NULL) {
        rd_kafka_message_destroy(message);
        wait_ms = 0;
    }
}

// Answers whatever a rebalance waits for, an assignment or a revocation.
static void answer_rebalance(rd_kafka_t *rk)
{
    rd_kafka_topic_partition_list_t *none = rd_kafka_topic_partition_list_new(0);
    rd_kafka_assign(rk, none);
    rd_kafka_assign(rk, NULL);
    rd_kafka_topic_partition_list_destroy(none);
}

// The brokers' name for this member is given up when the leave is on its way.
static bool is_member(rd_kafka_t *rk)
{
    char *id = rd_kafka_memberid(rk);
    bool is_one = id != NULL && id[0] != '\0';
    rd_kafka_mem_free(rk, id);
    return is_one;
}

// A question on the same connection is answered after the leave.
static void wait_for_leave(struct kafka_client *client, const char *topic,
                           int64_t left_ms)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, 0);
    rd_kafka_committed(client->rk, list, left_ms > 0 ? (int)left_ms : 0);
    rd_kafka_topic_partition_list_destroy(list);
}

static bool wait_until(rd_kafka_t *rk, bool is_wanted, int64_t deadline)
{
    bool is_so;
    while (!(is_so = is_member(rk) == is_wanted) && client_now_ms() < deadline) {
        answer_rebalance(rk);
        drop_messages(rk, LEAVE_STEP_MS);
    }
    return is_so;
}

// One that is about to join is waited for: the brokers would keep partitions for it.
void consumer_leave(struct kafka_client *client, const char *topic)
{
    int64_t deadline = client_now_ms() + LEAVE_MS;
    if (!wait_until(client->rk, true, deadline))
        return;
    rd_kafka_unsubscribe(client->rk);
    answer_rebalance(client->rk);
    if (wait_until(client->rk, false, deadline))
        wait_for_leave(client, topic, deadline - client_now_ms());
}
