// SPDX-License-Identifier: Apache-2.0
#include "kafka/lookup.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "kafka/message.h"

enum {
    LEAST_SOCKET_MS = 2000, // what librdkafka accepts beside the wait below
    PATIENCE_MS = 25,
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

static enum status no_topic(const struct kafka_client *client, const char *topic,
                            struct err *err)
{
    return err_set(err, ST_NOT_FOUND,
                   "topic '%s' is not on the brokers %s; make it with tramline init",
                   topic, client->brokers);
}

static enum status shape_of(const struct rd_kafka_metadata_topic *topic,
                            struct topic_shape *ret, const struct kafka_client *client,
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

enum status lookup_topic(struct kafka_client *client, rd_kafka_topic_t *handle,
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

enum status lookup_open(struct kafka_lookup *lookup, const struct kafka_config *config,
                        int32_t *ret_partitions, struct err *err)
{
    *lookup = (struct kafka_lookup){0};
    rd_kafka_conf_t *conf;
    TRY(conf_new(config, (struct conf_properties){0},
                 (struct conf_properties){fixed, ARRAY_LEN(fixed)}, &conf, err));
    // Some questions are given up by librdkafka only with the connection.
    int timeout_ms = client_timeout_ms(config);
    conf_set_number(conf, "socket.timeout.ms",
                    timeout_ms > LEAST_SOCKET_MS ? timeout_ms : LEAST_SOCKET_MS);
    TRY(client_open(&lookup->client, config, RD_KAFKA_CONSUMER, conf, err));
    lookup->value_schema = config->value_schema;
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

static void give_back(struct kafka_lookup *lookup)
{
    if (lookup->fetched != NULL)
        rd_kafka_message_destroy(lookup->fetched);
    lookup->fetched = NULL;
}

void lookup_close(struct kafka_lookup *lookup)
{
    give_back(lookup);
    if (lookup->cluster != NULL)
        rd_kafka_mem_free(lookup->client.rk, lookup->cluster);
    if (lookup->handle != NULL)
        rd_kafka_topic_destroy(lookup->handle);
    free(lookup->topic);
    client_close(&lookup->client);
    *lookup = (struct kafka_lookup){0};
}

enum status lookup_count(struct kafka_lookup *lookup, int32_t *ret, struct err *err)
{
    struct topic_shape shape;
    TRY(lookup_topic(&lookup->client, lookup->handle, &shape, err));
    *ret = shape.partitions;
    return ST_OK;
}

// ---- questions about one partition

// What came of one, beside librdkafka's code.
enum finding {
    NOTHING_FOUND, // the topic was not looked at
    HAS_LEADER,
    HAS_NO_LEADER,
    IS_ABSENT
};

// A question is asked again and again until it is answered. Each time but the first the
// topic is looked at before: librdkafka may not know the partition yet, or one that
// leads it no more, and does not ask by itself.
struct question {
    struct kafka_lookup *lookup;
    int32_t partition;
    int n_asked;
    enum finding finding;
    int32_t leader, n_partitions;
    int64_t time_ms; // in: a time; out: an offset
    struct topic_range range;
    rd_kafka_message_t *message;
};

static void note_leader(struct question *question,
                        const struct rd_kafka_metadata_topic *topic)
{
    question->n_partitions = topic->partition_cnt;
    question->finding = IS_ABSENT;
    for (int i = 0; i < topic->partition_cnt; i++) {
        if (topic->partitions[i].id != question->partition)
            continue;
        question->leader = topic->partitions[i].leader;
        question->finding = question->leader < 0 ? HAS_NO_LEADER : HAS_LEADER;
    }
}

static rd_kafka_resp_err_t look_at_topic(struct question *question, int timeout_ms)
{
    struct kafka_lookup *lookup = question->lookup;
    struct metadata_call call = {.rk = lookup->client.rk, .topic = lookup->handle};
    rd_kafka_resp_err_t code = call_metadata(&call, timeout_ms);
    question->finding = NOTHING_FOUND;
    if (code)
        return code;
    if (call.ret->topic_cnt != 1)
        code = RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    else if (call.ret->topics[0].err != RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE)
        code = call.ret->topics[0].err;
    if (!code)
        note_leader(question, &call.ret->topics[0]);
    rd_kafka_metadata_destroy(call.ret);
    return code;
}

// Whether the partition can be asked now. Brokers do not hear of a new one all at once:
// it is waited for.
static rd_kafka_resp_err_t begin_asking(struct question *question, int timeout_ms)
{
    if (question->n_asked++ == 0)
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_resp_err_t code = look_at_topic(question, timeout_ms);
    if (!code && question->finding == IS_ABSENT)
        return RD_KAFKA_RESP_ERR__TIMED_OUT;
    return code;
}

static bool is_askable(const struct question *question)
{
    return question->finding != HAS_NO_LEADER;
}

// Codes by which librdkafka says what it knows, not what is.
static rd_kafka_resp_err_t or_ask_again(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION ||
                   code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
                   code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART
               ? RD_KAFKA_RESP_ERR__TIMED_OUT
               : code;
}

static enum status no_answer(const struct question *question, struct err *err)
{
    const struct kafka_lookup *lookup = question->lookup;
    switch (question->finding) {
    case HAS_NO_LEADER:
        return err_set(err, ST_RETRY, "topic '%s', partition %d: no broker leads it now",
                       lookup->topic, question->partition);
    case HAS_LEADER:
        return err_set(err, ST_RETRY,
                       "topic '%s', partition %d: broker %d, which leads it, gives no "
                       "answer",
                       lookup->topic, question->partition, question->leader);
    case IS_ABSENT:
        if (client_is_out_of_time(&lookup->client))
            return ST_RETRY; // too soon to say; the text is there
        return err_set(err, ST_DATA,
                       "topic '%s', partition %d: there are only %s now: the "
                       "topic was recreated; give the result another path, or start over "
                       "with tramline init --reset",
                       lookup->topic, question->partition,
                       text_counted(question->n_partitions, "partition", "partitions"));
    case NOTHING_FOUND:
        break;
    }
    return ST_RETRY; // the text is there
}

static enum status ask(struct question *question, client_call_fn *fn, struct err *err)
{
    struct kafka_lookup *lookup = question->lookup;
    rd_kafka_resp_err_t code;
    question->n_asked = 0;
    question->finding = NOTHING_FOUND;
    enum status rc = client_wait(&lookup->client, fn, question, &code, err);
    if (rc == ST_RETRY || (rc == ST_OK && !code && !is_askable(question)))
        return no_answer(question, err);
    TRY(rc);
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        return no_topic(&lookup->client, lookup->topic, err);
    if (code)
        return err_set(err, ST_FAIL, "topic '%s', partition %d: %s", lookup->topic,
                       question->partition, rd_kafka_err2str(code));
    return ST_OK;
}

// `time`: in ms since 1970, or RD_KAFKA_OFFSET_BEGINNING or _END.
static rd_kafka_resp_err_t offset_for(const struct question *question, int64_t time,
                                      int timeout_ms, int64_t *ret)
{
    const struct kafka_lookup *lookup = question->lookup;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *item =
        rd_kafka_topic_partition_list_add(list, lookup->topic, question->partition);
    item->offset = time;
    rd_kafka_resp_err_t code =
        rd_kafka_offsets_for_times(lookup->client.rk, list, timeout_ms);
    if (!code)
        code = item->err;
    if (!code)
        *ret = item->offset;
    rd_kafka_topic_partition_list_destroy(list);
    return or_ask_again(code);
}

// Not rd_kafka_query_watermark_offsets(): it heeds no time limit, and waits minutes for a
// broker that is gone.
static rd_kafka_resp_err_t call_range(void *arg, int timeout_ms)
{
    struct question *question = arg;
    int64_t deadline = client_now_ms() + timeout_ms;
    rd_kafka_resp_err_t code = begin_asking(question, timeout_ms);
    if (code || !is_askable(question))
        return code;
    code =
        offset_for(question, RD_KAFKA_OFFSET_BEGINNING, timeout_ms, &question->range.low);
    if (code)
        return code;
    int64_t left_ms = deadline - client_now_ms();
    return offset_for(question, RD_KAFKA_OFFSET_END, left_ms > 0 ? (int)left_ms : 0,
                      &question->range.high);
}

static rd_kafka_resp_err_t call_offset_at(void *arg, int timeout_ms)
{
    struct question *question = arg;
    rd_kafka_resp_err_t code = begin_asking(question, timeout_ms);
    if (code || !is_askable(question))
        return code;
    return offset_for(question, question->time_ms, timeout_ms, &question->time_ms);
}

enum status lookup_range(struct kafka_lookup *lookup, int32_t partition,
                         struct topic_range *ret, struct err *err)
{
    struct question question = {.lookup = lookup, .partition = partition};
    TRY(ask(&question, call_range, err));
    *ret = question.range;
    return ST_OK;
}

enum status lookup_offset_at(struct kafka_lookup *lookup, int32_t partition,
                             int64_t time_ms, int64_t *ret, struct err *err)
{
    struct question question = {
        .lookup = lookup, .partition = partition, .time_ms = time_ms < 0 ? 0 : time_ms};
    TRY(ask(&question, call_offset_at, err));
    if (question.time_ms < 0) { // none is that late
        TRY(ask(&question, call_range, err));
        question.time_ms = question.range.high;
    }
    *ret = question.time_ms;
    return ST_OK;
}

static rd_kafka_resp_err_t take_message(struct question *question, int timeout_ms)
{
    struct kafka_lookup *lookup = question->lookup;
    rd_kafka_message_t *message =
        rd_kafka_consume(lookup->handle, question->partition, timeout_ms);
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (message != NULL)
        code = or_ask_again(message->err);
    if (!client_is_unanswered(code))
        question->message = message;
    else if (message != NULL)
        rd_kafka_message_destroy(message);
    return code;
}

// Asks in short waits, since librdkafka takes its time to begin.
static rd_kafka_resp_err_t call_fetch(void *arg, int timeout_ms)
{
    struct question *question = arg;
    struct kafka_lookup *lookup = question->lookup;
    rd_kafka_resp_err_t code = begin_asking(question, timeout_ms);
    if (code || !is_askable(question))
        return code;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, lookup->topic, question->partition);
    for (int ms = 0; ms < timeout_ms && question->message == NULL; ms += PATIENCE_MS) {
        client_nudge(lookup->client.rk, list);
        (void)take_message(question, PATIENCE_MS);
    }
    rd_kafka_topic_partition_list_destroy(list);
    return question->message == NULL ? RD_KAFKA_RESP_ERR__TIMED_OUT
                                     : RD_KAFKA_RESP_ERR_NO_ERROR;
}

// The first message at or after the offset, or what stands there instead.
static enum status fetch_next(struct kafka_lookup *lookup, int32_t partition,
                              int64_t offset, rd_kafka_message_t **ret, struct err *err)
{
    if (rd_kafka_consume_start(lookup->handle, partition, offset) != 0)
        return err_set(err, ST_FAIL, "topic '%s', partition %d: %s", lookup->topic,
                       partition, rd_kafka_err2str(rd_kafka_last_error()));
    struct question question = {.lookup = lookup, .partition = partition};
    enum status rc = ask(&question, call_fetch, err);
    rd_kafka_consume_stop(lookup->handle, partition);
    *ret = question.message;
    return rc;
}

enum status lookup_fetch(struct kafka_lookup *lookup, int32_t partition, int64_t offset,
                         struct record *ret, struct err *err)
{
    give_back(lookup);
    rd_kafka_message_t *message = NULL;
    TRY(fetch_next(lookup, partition, offset, &message, err));
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
    *ret = message_record(message, lookup->value_schema);
    return ST_OK;
}
