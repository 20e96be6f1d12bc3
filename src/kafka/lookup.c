// SPDX-License-Identifier: Apache-2.0
#include "kafka/lookup.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "kafka/message.h"

enum {
    LEAST_SOCKET_MS = 2000, // what librdkafka accepts beside the wait below
    PATIENCE_MS = 25,
    STOPPED_MS = 2000,
};

// Small fetches (a broker always gives a whole batch), and no long wait at the end of a
// partition, behind which the next question would stand.
static const struct kafka_property fixed[] = {
    {"allow.auto.create.topics", "false"}, {"auto.commit.enable", "false"},
    {"auto.offset.reset", "error"},        {"check.crcs", "true"},
    {"enable.auto.commit", "false"},       {"enable.partition.eof", "true"},
    {"fetch.message.max.bytes", "65536"},  {"fetch.wait.max.ms", "10"},
    {"fetch.error.backoff.ms", "10"},      {"isolation.level", "read_committed"},
    {"queued.min.messages", "1"},
};

struct metadata_call {
    rd_kafka_t *rk;
    rd_kafka_topic_t *topic;
    const struct rd_kafka_metadata *ret;
};

static rd_kafka_resp_err_t call_metadata(void *arg, int timeout_ms)
{
    struct metadata_call *call = arg;
    return rd_kafka_metadata(call->rk, 0, call->topic, &call->ret, timeout_ms);
}

static enum status no_topic(const struct client *client, const char *topic,
                            struct err *err)
{
    return err_set(err, ST_NOT_FOUND,
                   "topic '%s' is not on the brokers %s; make it with tramline init",
                   topic, client->brokers);
}

static enum status shape_of(const struct rd_kafka_metadata_topic *topic,
                            struct topic_shape *ret, const struct client *client,
                            struct err *err)
{
    if (topic->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        return no_topic(client, topic->topic, err);
    if (topic->err)
        return err_set(err,
                       topic->err == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE ? ST_RETRY
                                                                            : ST_FAIL,
                       "topic '%s' on %s: %s", topic->topic, client->brokers,
                       rd_kafka_err2str(topic->err));
    *ret = (struct topic_shape){.partitions = topic->partition_cnt};
    for (int i = 0; i < topic->partition_cnt; i++) {
        ret->leaderless += topic->partitions[i].leader < 0;
        if (topic->partitions[i].id == 0)
            ret->replication = topic->partitions[i].replica_cnt;
    }
    return ST_OK;
}

enum status lookup_topic(struct client *client, rd_kafka_topic_t *handle,
                         struct topic_shape *ret, struct err *err)
{
    struct metadata_call call = {.rk = client->rk, .topic = handle};
    rd_kafka_resp_err_t code;
    TRY(client_wait(client, call_metadata, &call, &code, err));
    const char *topic = rd_kafka_topic_name(handle);
    if (code)
        return err_set(err, ST_FAIL, "topic '%s' on %s: %s", topic, client->brokers,
                       rd_kafka_err2str(code));
    enum status rc = call.ret->topic_cnt == 1
                         ? shape_of(&call.ret->topics[0], ret, client, err)
                         : no_topic(client, topic, err);
    rd_kafka_metadata_destroy(call.ret);
    return rc;
}

enum status lookup_open(struct lookup *lookup, const struct kafka_config *config,
                        int32_t *ret_partitions, struct err *err)
{
    *lookup = (struct lookup){0};
    rd_kafka_conf_t *conf;
    TRY(conf_new(config, (struct conf_properties){0},
                 (struct conf_properties){fixed, ARRAY_LEN(fixed)}, &conf, err));
    // Some questions are given up by librdkafka only with the connection.
    int timeout_ms = client_timeout_ms(config);
    conf_set_number(conf, "socket.timeout.ms",
                    timeout_ms > LEAST_SOCKET_MS ? timeout_ms : LEAST_SOCKET_MS);
    TRY(client_open(&lookup->client, config, RD_KAFKA_CONSUMER, conf, err));
    lookup->topic = mem_strdup(config->topic);
    lookup->handle = rd_kafka_topic_new(lookup->client.rk, config->topic, NULL);
    if (lookup->handle == NULL)
        return err_set(err, ST_USAGE,
                       "topic '%s': not a name for a topic; a name has at most 249 "
                       "letters, digits, '.', '_' and '-'",
                       config->topic);
    TRY(lookup_count(lookup, ret_partitions, err));
    // Known since the answer before; no further wait.
    lookup->cluster = rd_kafka_clusterid(lookup->client.rk, lookup->client.timeout_ms);
    if (lookup->cluster == NULL)
        return err_set(err, ST_FAIL, "brokers %s: they do not tell their cluster's id",
                       config->brokers);
    return ST_OK;
}

static void give_back(struct lookup *lookup)
{
    if (lookup->fetched != NULL)
        rd_kafka_message_destroy(lookup->fetched);
    lookup->fetched = NULL;
}

void lookup_close(struct lookup *lookup)
{
    give_back(lookup);
    if (lookup->cluster != NULL)
        rd_kafka_mem_free(lookup->client.rk, lookup->cluster);
    if (lookup->handle != NULL)
        rd_kafka_topic_destroy(lookup->handle);
    free(lookup->topic);
    client_close(&lookup->client);
    *lookup = (struct lookup){0};
}

enum status lookup_count(struct lookup *lookup, int32_t *ret, struct err *err)
{
    struct topic_shape shape;
    TRY(lookup_topic(&lookup->client, lookup->handle, &shape, err));
    *ret = shape.partitions;
    return ST_OK;
}

struct offsets_call {
    rd_kafka_t *rk;
    const char *topic;
    int32_t partition;
    struct source_range range;
    int64_t time_ms; // in: a time; out: an offset
};

// `time`: in ms since 1970, or RD_KAFKA_OFFSET_BEGINNING or _END.
static rd_kafka_resp_err_t offset_for(const struct offsets_call *call, int64_t time,
                                      int timeout_ms, int64_t *ret)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *item =
        rd_kafka_topic_partition_list_add(list, call->topic, call->partition);
    item->offset = time;
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(call->rk, list, timeout_ms);
    if (!code)
        code = item->err;
    if (!code)
        *ret = item->offset;
    rd_kafka_topic_partition_list_destroy(list);
    return code;
}

// Not rd_kafka_query_watermark_offsets(): it heeds no time limit, and waits minutes for a
// broker that is gone.
static rd_kafka_resp_err_t call_range(void *arg, int timeout_ms)
{
    struct offsets_call *call = arg;
    int64_t deadline = client_now_ms() + timeout_ms;
    rd_kafka_resp_err_t code =
        offset_for(call, RD_KAFKA_OFFSET_BEGINNING, timeout_ms, &call->range.low);
    if (code)
        return code;
    int64_t left_ms = deadline - client_now_ms();
    return offset_for(call, RD_KAFKA_OFFSET_END, left_ms > 0 ? (int)left_ms : 0,
                      &call->range.high);
}

static rd_kafka_resp_err_t call_offset_at(void *arg, int timeout_ms)
{
    struct offsets_call *call = arg;
    return offset_for(call, call->time_ms, timeout_ms, &call->time_ms);
}

static enum status ask(struct lookup *lookup, client_call_fn *fn,
                       struct offsets_call *call, struct err *err)
{
    rd_kafka_resp_err_t code;
    TRY(client_wait(&lookup->client, fn, call, &code, err));
    if (code)
        return err_set(err, ST_FAIL, "topic '%s', partition %d: %s", lookup->topic,
                       call->partition, rd_kafka_err2str(code));
    return ST_OK;
}

enum status lookup_range(struct lookup *lookup, int32_t partition,
                         struct source_range *ret, struct err *err)
{
    struct offsets_call call = {
        .rk = lookup->client.rk, .topic = lookup->topic, .partition = partition};
    TRY(ask(lookup, call_range, &call, err));
    *ret = call.range;
    return ST_OK;
}

enum status lookup_offset_at(struct lookup *lookup, int32_t partition, int64_t time_ms,
                             int64_t *ret, struct err *err)
{
    struct offsets_call call = {.rk = lookup->client.rk,
                                .topic = lookup->topic,
                                .partition = partition,
                                .time_ms = time_ms < 0 ? 0 : time_ms};
    TRY(ask(lookup, call_offset_at, &call, err));
    if (call.time_ms < 0) { // none is that late
        TRY(ask(lookup, call_range, &call, err));
        call.time_ms = call.range.high;
    }
    *ret = call.time_ms;
    return ST_OK;
}

struct fetch_call {
    struct lookup *lookup;
    int32_t partition;
    rd_kafka_message_t *ret;
};

// Asks in short waits, since librdkafka takes its time to begin.
static rd_kafka_resp_err_t call_fetch(void *arg, int timeout_ms)
{
    struct fetch_call *call = arg;
    struct lookup *lookup = call->lookup;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, lookup->topic, call->partition);
    for (int ms = 0; ms < timeout_ms && call->ret == NULL; ms += PATIENCE_MS) {
        client_nudge(lookup->client.rk, list);
        call->ret = rd_kafka_consume(lookup->handle, call->partition, PATIENCE_MS);
    }
    rd_kafka_topic_partition_list_destroy(list);
    return call->ret == NULL ? RD_KAFKA_RESP_ERR__TIMED_OUT : RD_KAFKA_RESP_ERR_NO_ERROR;
}

// The first message at or after the offset, or what stands there instead.
static enum status fetch_next(struct lookup *lookup, int32_t partition, int64_t offset,
                              rd_kafka_message_t **ret, struct err *err)
{
    if (rd_kafka_consume_start(lookup->handle, partition, offset) != 0)
        return err_set(err, ST_FAIL, "topic '%s', partition %d: %s", lookup->topic,
                       partition, rd_kafka_err2str(rd_kafka_last_error()));
    struct fetch_call call = {.lookup = lookup, .partition = partition};
    rd_kafka_resp_err_t code;
    enum status rc = client_wait(&lookup->client, call_fetch, &call, &code, err);
    rd_kafka_consume_stop(lookup->handle, partition);
    *ret = call.ret;
    return rc;
}

// The last commit of a job that is being stopped wants an answer, too, but not for long.
static enum status fetch_soon(struct lookup *lookup, int32_t partition, int64_t offset,
                              rd_kafka_message_t **ret, struct err *err)
{
    struct client *client = &lookup->client;
    const struct client kept = *client;
    enum status rc = fetch_next(lookup, partition, offset, ret, err);
    if (rc != ST_STOP)
        return rc;
    client->stop = NULL;
    if (client->timeout_ms > STOPPED_MS)
        client->timeout_ms = STOPPED_MS;
    rc = fetch_next(lookup, partition, offset, ret, err);
    client->timeout_ms = kept.timeout_ms;
    client->stop = kept.stop;
    return rc;
}

enum status lookup_fetch(struct lookup *lookup, int32_t partition, int64_t offset,
                         struct record *ret, struct err *err)
{
    give_back(lookup);
    rd_kafka_message_t *message = NULL;
    TRY(fetch_soon(lookup, partition, offset, &message, err));
    lookup->fetched = message;
    bool is_absent = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF ||
                     message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
                     (!message->err && message->offset != offset);
    if (is_absent)
        return err_set(err, ST_NOT_FOUND,
                       "topic '%s', partition %d: there is no record at offset %lld",
                       lookup->topic, partition, (long long)offset);
    if (message->err)
        return err_set(err, ST_FAIL, "topic '%s', partition %d, offset %lld: %s",
                       lookup->topic, partition, (long long)offset,
                       rd_kafka_message_errstr(message));
    *ret = message_record(message);
    return ST_OK;
}
