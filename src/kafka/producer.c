// SPDX-License-Identifier: Apache-2.0
#include "kafka/producer.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "kafka/lookup.h"

enum {
    SERVE_EVERY = 1024, // records between two looks at delivery reports
    FULL_WAIT_MS = 100, // one wait for room in the queue
    FLUSH_SLICE_MS = 200,
    DROP_MS = 6000, // before the deadline, what was not sent is not sent any more
    CLOSE_MS = 3000 // taking down a full queue takes that long on a busy machine
};

static const struct kafka_property defaults[] = {
    {"batch.num.messages", "100000"},
    {"batch.size", "1000000"},
    {"compression.codec", "lz4"},
    {"linger.ms", "50"},
    {"message.timeout.ms", "60000"},
    {"queue.buffering.max.kbytes", "262144"},
    {"queue.buffering.max.messages", "500000"},
};

static const struct kafka_property fixed[] = {
    {"enable.idempotence", "true"},
    {"partitioner", "murmur2_random"}, // Java's, for records with a key
};

struct kafka_producer {
    struct kafka_client client; // first: librdkafka's opaque pointer
    char *topic;
    rd_kafka_topic_t *handle;
    struct kafka_delivery delivery;
    struct err failure; // of the first delivery that failed
};

static void on_delivery(UNUSED rd_kafka_t *rk, const rd_kafka_message_t *message,
                        void *opaque)
{
    struct kafka_producer *producer = opaque;
    struct kafka_delivery *delivery = &producer->delivery;
    delivery->n_waiting--;
    if (!message->err) {
        delivery->n_acknowledged++;
        return;
    }
    if (message->err == RD_KAFKA_RESP_ERR__PURGE_QUEUE) {
        delivery->n_unsent++;
        return;
    }
    if (delivery->n_failed++ == 0)
        producer->failure.status = err_set(
            &producer->failure, ST_FAIL, "topic '%s': a record was not stored: %s",
            producer->topic, rd_kafka_err2str(message->err));
}

// The first failure, with how many there are by now.
static enum status failure(const struct kafka_producer *producer, struct err *err)
{
    return err_set(err, ST_FAIL, "%s (%s failed)", producer->failure.text,
                   text_counted(producer->delivery.n_failed, "record", "records"));
}

// Time over without an answer is the brokers' absence, told as such.
static enum status check_delivery(struct kafka_producer *producer, struct err *err)
{
    char text[512];
    if (rd_kafka_fatal_error(producer->client.rk, text, sizeof(text)))
        return err_set(err, ST_FAIL, "topic '%s': %s", producer->topic, text);
    return producer->delivery.n_failed > 0 ? failure(producer, err) : ST_OK;
}

static enum status out_of_time(const struct kafka_producer *producer, struct err *err)
{
    return err_set(err, ST_RETRY,
                   "topic '%s': not all records were acknowledged in the time that was "
                   "left",
                   producer->topic);
}

static enum status open_handle(struct kafka_producer *producer,
                               const struct kafka_config *config, struct err *err)
{
    rd_kafka_conf_t *conf;
    TRY(conf_new(config, (struct conf_properties){defaults, ARRAY_LEN(defaults)},
                 (struct conf_properties){fixed, ARRAY_LEN(fixed)}, &conf, err));
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    TRY(client_open(&producer->client, config, RD_KAFKA_PRODUCER, conf, err));
    producer->handle = rd_kafka_topic_new(producer->client.rk, config->topic, NULL);
    return ST_OK;
}

// By a consumer's handle: a producer's question would make the topic on some brokers.
static enum status check_topic(const struct kafka_config *config, struct err *err)
{
    struct kafka_lookup lookup;
    int32_t n;
    enum status rc = lookup_open(&lookup, config, &n, err);
    lookup_close(&lookup);
    return rc;
}

enum status kafka_producer_open(const struct kafka_config *config,
                                struct kafka_producer **ret, struct err *err)
{
    TRY(kafka_config_check_sasl(config, err));
    TRY(check_topic(config, err));
    struct kafka_producer *producer = mem_zalloc(sizeof(*producer));
    producer->topic = mem_strdup(config->topic);
    enum status rc = open_handle(producer, config, err);
    if (rc != ST_OK) {
        kafka_producer_close(producer);
        return rc;
    }
    *ret = producer;
    return ST_OK;
}

static rd_kafka_headers_t *headers_of(const struct produced *record)
{
    if (record->n_headers == 0)
        return NULL;
    rd_kafka_headers_t *headers = rd_kafka_headers_new(record->n_headers);
    for (size_t i = 0; i < record->n_headers; i++) {
        const struct produced_header *header = &record->headers[i];
        rd_kafka_header_add(headers, header->key, -1, header->value.p,
                            (ssize_t)header->value.n);
    }
    return headers;
}

static rd_kafka_resp_err_t queue_record(struct kafka_producer *producer,
                                        const struct produced *record)
{
    struct str key = record->key, value = record->value;
    rd_kafka_headers_t *headers = headers_of(record);
    const rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = producer->handle},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = RD_KAFKA_PARTITION_UA},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)key.p, key.n}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)value.p, value.n}},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    rd_kafka_error_t *error = rd_kafka_produceva(producer->client.rk, parts,
                                                 ARRAY_LEN(parts) - (headers == NULL));
    if (error == NULL)
        return RD_KAFKA_RESP_ERR_NO_ERROR; // the headers are the message's now
    if (headers != NULL)
        rd_kafka_headers_destroy(headers);
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    return code;
}

// While the queue is full, records leave it or time out, so this ends.
enum status kafka_producer_produce(struct kafka_producer *producer,
                                   const struct produced *record, struct err *err)
{
    rd_kafka_resp_err_t code;
    while ((code = queue_record(producer, record)) == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        rd_kafka_poll(producer->client.rk, FULL_WAIT_MS);
        TRY(check_delivery(producer, err));
        if (client_is_out_of_time(&producer->client))
            return out_of_time(producer, err);
    }
    if (code)
        return err_set(
            err, code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ? ST_LIMIT : ST_FAIL,
            "topic '%s': a record of %zu bytes was refused: %s", producer->topic,
            record->key.n + record->value.n, rd_kafka_err2str(code));
    if (producer->delivery.n_waiting++ % SERVE_EVERY != 0)
        return ST_OK;
    rd_kafka_poll(producer->client.rk, 0);
    return check_delivery(producer, err);
}

enum status kafka_producer_flush(struct kafka_producer *producer,
                                 const struct deadline *deadline,
                                 struct kafka_delivery *ret, struct err *err)
{
    rd_kafka_t *rk = producer->client.rk;
    bool is_dropped = false;
    int64_t left_ms;
    while (rd_kafka_outq_len(rk) > 0 &&
           (left_ms = deadline_left(deadline, client_now_ms(), INT64_MAX)) > CLOSE_MS) {
        if (left_ms <= DROP_MS && !is_dropped) {
            rd_kafka_purge(rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_NON_BLOCKING);
            is_dropped = true;
        }
        rd_kafka_flush(rk, FLUSH_SLICE_MS);
    }
    *ret = producer->delivery;
    TRY(check_delivery(producer, err));
    return ret->n_waiting + ret->n_unsent > 0 ? out_of_time(producer, err) : ST_OK;
}

void kafka_producer_close(struct kafka_producer *producer)
{
    if (producer == NULL)
        return;
    if (producer->client.rk != NULL)
        rd_kafka_purge(producer->client.rk, RD_KAFKA_PURGE_F_QUEUE |
                                                RD_KAFKA_PURGE_F_INFLIGHT |
                                                RD_KAFKA_PURGE_F_NON_BLOCKING);
    if (producer->handle != NULL)
        rd_kafka_topic_destroy(producer->handle);
    client_close(&producer->client);
    free(producer->topic);
    free(producer);
}
