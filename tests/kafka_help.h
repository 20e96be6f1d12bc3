// SPDX-License-Identifier: Apache-2.0
// For tests of src/kafka: sources that are opened, polled and counted, and producers that
// do what the project's own does not (transactions, headers).
#ifndef TESTS_KAFKA_HELP_H
#define TESTS_KAFKA_HELP_H

#include "test.h"

#include <librdkafka/rdkafka.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "core/env.h"
#include "kafka/native.h"
#include "kafka/producer.h"
#include "kafka/stream.h"
#include "kafka/topic.h"

enum {
    PATIENCE_MS = 20000
};

UNUSED static int64_t now_ms(void)
{
    return env_system()->ops->monotonic_ms(env_system());
}

// Streams that are open, each with what it stands on.
static struct opened {
    struct stream *stream;
    struct topic *topic;
    struct asker *asker;
    struct kafka_config config;
    struct topic *questions; // of the test, beside the asker's; NULL: none was asked
} opened[8];

static struct opened *opened_as(const struct stream *stream)
{
    for (size_t i = 0; i < ARRAY_LEN(opened); i++)
        if (opened[i].stream == stream)
            return &opened[i];
    fail_msg("too many streams");
    return NULL;
}

static bool is_native; // streams are those of client = 'native'

UNUSED static struct stream *open_stream(const struct kafka_config *config)
{
    struct opened *open = opened_as(NULL);
    struct err err;
    open->config = *config;
    assert_ok(kafka_topic_open(config, &open->topic, &err), &err);
    open->asker = asker_open();
    asker_start(open->asker);
    assert_ok(is_native ? kafka_native_open(config, open->topic, &open->stream, &err)
                        : kafka_stream_open(config, open->topic, open->asker,
                                            &open->stream, &err),
              &err);
    return open->stream;
}

UNUSED static void close_stream(struct stream *stream)
{
    struct opened *open = opened_as(stream);
    asker_close(open->asker);
    stream->ops->close(stream);
    open->topic->ops->close(open->topic);
    if (open->questions != NULL)
        open->questions->ops->close(open->questions);
    *open = (struct opened){0};
}

// For questions to what the stream reads.
UNUSED static struct topic *topic_of(const struct stream *stream)
{
    struct opened *open = opened_as(stream);
    struct err err;
    if (open->questions == NULL)
        assert_ok(kafka_topic_open(&open->config, &open->questions, &err), &err);
    return open->questions;
}

// Polls until something happens, at most PATIENCE_MS.
UNUSED static struct stream_event poll_event(struct stream *stream)
{
    struct stream_event event = {.kind = STREAM_IDLE};
    struct err err;
    int64_t deadline = now_ms() + PATIENCE_MS;
    while (event.kind == STREAM_IDLE && now_ms() < deadline)
        assert_ok(stream->ops->poll(stream, 200, &event, &err), &err);
    return event;
}

UNUSED static struct stream_event poll_for(struct stream *stream,
                                           enum stream_event_kind kind)
{
    struct stream_event event = poll_event(stream);
    assert_int_equal(event.kind, kind);
    return event;
}

// Nothing but IDLE for so long.
UNUSED static void poll_nothing(struct stream *stream, int ms)
{
    struct stream_event event;
    struct err err;
    assert_ok(stream->ops->poll(stream, ms, &event, &err), &err);
    assert_int_equal(event.kind, STREAM_IDLE);
}

UNUSED static void start_at(struct stream *stream, const struct stream_event *assign,
                            int64_t offset)
{
    struct stream_start *starts = mem_array(assign->n_partitions, sizeof(*starts));
    struct err err;
    for (size_t i = 0; i < assign->n_partitions; i++)
        starts[i] =
            (struct stream_start){.partition = assign->partitions[i], .offset = offset};
    assert_ok(stream->ops->start(stream, starts, assign->n_partitions, &err), &err);
    free(starts);
}

UNUSED static void stop(struct stream *stream)
{
    struct err err;
    assert_ok(stream->ops->stop(stream, &err), &err);
}

// Waits for the assignment and starts all of it; returns how many partitions.
UNUSED static size_t begin(struct stream *stream, int64_t offset)
{
    struct stream_event assign = poll_for(stream, STREAM_ASSIGN);
    start_at(stream, &assign, offset);
    return assign.n_partitions;
}

// Reads until n records came; returns what followed in offsets without records.
UNUSED static int64_t read_records(struct stream *stream, size_t n)
{
    int64_t skipped = 0;
    while (n > 0) {
        struct stream_event event = poll_for(stream, STREAM_RUN);
        assert_true(event.run.n <= n);
        n -= event.run.n;
        skipped += event.run.next - event.run.first - (int64_t)event.run.n;
    }
    return skipped;
}

UNUSED static struct kafka_producer *open_producer(const struct kafka_config *config)
{
    struct kafka_producer *producer;
    struct err err;
    assert_ok(kafka_producer_open(config, &producer, &err), &err);
    return producer;
}

static inline enum status produce_pair(struct kafka_producer *producer, struct str key,
                                       struct str value, struct err *err)
{
    return kafka_producer_produce(producer,
                                  &(struct produced){.key = key, .value = value}, err);
}

// n records with keys k0, k1, ... and values v0, v1, ...
UNUSED static void produce(const struct kafka_config *config, size_t n)
{
    struct kafka_producer *producer = open_producer(config);
    struct kafka_delivery delivery;
    struct err err;
    for (size_t i = 0; i < n; i++) {
        char key[24], value[24];
        snprintf(key, sizeof(key), "k%zu", i);
        snprintf(value, sizeof(value), "v%zu", i);
        assert_ok(produce_pair(producer, str_of(key), str_of(value), &err), &err);
    }
    assert_ok(kafka_producer_flush(producer, NULL, &delivery, &err), &err);
    assert_int_equal(delivery.n_acknowledged, n);
    kafka_producer_close(producer);
}

// librdkafka's own producer, with properties as pairs up to a NULL.
UNUSED static rd_kafka_t *raw_producer(const char *brokers, const char *const *properties)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[256];
    rd_kafka_conf_set(conf, "bootstrap.servers", brokers, text, sizeof(text));
    rd_kafka_conf_set(conf, "linger.ms", "200", text, sizeof(text)); // one batch
    for (; *properties != NULL; properties += 2)
        assert_int_equal(
            rd_kafka_conf_set(conf, properties[0], properties[1], text, sizeof(text)), 0);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
    assert_non_null(rk);
    return rk;
}

// A record to one partition; key and value NULL: none.
UNUSED static void raw_produce(rd_kafka_t *rk, const char *topic, int32_t partition,
                               const char *key, const char *value, int64_t time_ms)
{
    rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_KEY,
         .u.mem = {(void *)(uintptr_t)key, key ? strlen(key) : 0}},
        {.vtype = RD_KAFKA_VTYPE_VALUE,
         .u.mem = {(void *)(uintptr_t)value, value ? strlen(value) : 0}},
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = time_ms},
    };
    assert_null(rd_kafka_produceva(rk, parts, ARRAY_LEN(parts)));
}

// To partition 0; takes over the headers.
UNUSED static void raw_produce_headers(rd_kafka_t *rk, const char *topic,
                                       rd_kafka_headers_t *headers)
{
    rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = 0},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    assert_null(rd_kafka_produceva(rk, parts, ARRAY_LEN(parts)));
}

UNUSED static void raw_close(rd_kafka_t *rk)
{
    assert_int_equal(rd_kafka_flush(rk, PATIENCE_MS), 0);
    rd_kafka_destroy(rk);
}

#endif
