// SPDX-License-Identifier: Apache-2.0
// bench_fetch BROKERS [BYTES]: a topic read to its end and thrown away, by client =
// 'librdkafka' and by 'native', CPU time a record with all threads; both orders of the
// clients in one run. Topics of 4 partitions with records of 100 and of 1,000 bytes,
// uncompressed and zstd, made by it and left there.
#include "bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/env.h"
#include "kafka/admin.h"
#include "kafka/native.h"
#include "kafka/producer.h"
#include "kafka/stream.h"
#include "kafka/topic.h"

enum {
    PARTITIONS = 4,
    VALUE_MAX = 1000,
    ROUNDS = 2,
};

static void fill(char *value, size_t size, int64_t n)
{
    int used =
        snprintf(value, VALUE_MAX, "trip-%08" PRId64 ",08:%02d:00,08:%02d:30,stop-%d", n,
                 (int)(n % 60), (int)(n % 60), (int)(n * 7919 % 5000));
    for (size_t i = (size_t)used; i < size; i++)
        value[i] = (char)('a' + (n + (int64_t)(i * i)) % 23);
}

static void make_topic(const struct kafka_config *config, size_t size, int64_t n)
{
    struct kafka_admin *admin;
    struct kafka_producer *producer;
    struct kafka_delivery delivery;
    struct err err;
    char value[VALUE_MAX + 1];
    bench_must(kafka_admin_open(config, &admin, &err), &err);
    bench_must(kafka_admin_create(admin, config->topic,
                                  (struct kafka_topic){PARTITIONS, 1}, &err),
               &err);
    kafka_admin_close(admin);
    bench_must(kafka_producer_open(config, &producer, &err), &err);
    for (int64_t i = 0; i < n; i++) {
        fill(value, size, i);
        const struct produced record = {.key = {value, 14}, .value = {value, size}};
        bench_must(kafka_producer_produce(producer, &record, &err), &err);
    }
    bench_must(kafka_producer_flush(producer, NULL, &delivery, &err), &err);
    kafka_producer_close(producer);
}

static int64_t read_all(struct stream *stream, int64_t n)
{
    struct stream_start starts[PARTITIONS];
    struct stream_event event;
    struct err err;
    int64_t n_bytes = 0;
    for (int32_t i = 0; i < PARTITIONS; i++)
        starts[i] = (struct stream_start){.partition = i};
    bench_must(stream->ops->poll(stream, 1000, &event, &err), &err);
    bench_must(stream->ops->start(stream, starts, PARTITIONS, &err), &err);
    while (n > 0) {
        bench_must(stream->ops->poll(stream, 1000, &event, &err), &err);
        if (event.kind != STREAM_RUN)
            continue;
        for (size_t i = 0; i < event.run.n; i++)
            n_bytes += (int64_t)event.run.records[i].value.n;
        n -= (int64_t)event.run.n;
    }
    return n_bytes;
}

// ns of CPU a record.
static double measure(const struct kafka_config *config, bool natively, int64_t n)
{
    struct topic *topic;
    struct stream *stream;
    struct err err;
    struct asker *asker = asker_open();
    asker_start(asker);
    bench_must(kafka_topic_open(config, &topic, &err), &err);
    double begin = bench_cpu();
    bench_must(natively ? kafka_native_open(config, topic, &stream, &err)
                        : kafka_stream_open(config, topic, asker, &stream, &err),
               &err);
    if (read_all(stream, n) == 0)
        exit(1);
    double used = bench_cpu() - begin;
    asker_close(asker);
    stream->ops->close(stream);
    topic->ops->close(topic);
    return used / (double)n * 1e9;
}

static void compare(const char *brokers, int64_t topic_bytes, size_t size,
                    const char *codec)
{
    const struct kafka_property property = {"compression.codec", codec};
    char topic[80], name[80];
    snprintf(topic, sizeof(topic), "bench-fetch-%zu-%s-%" PRId64, size, codec,
             env_system()->ops->wall_ms(env_system()));
    struct kafka_config config = {.brokers = brokers,
                                  .topic = topic,
                                  .group = topic,
                                  .membership = KAFKA_NONE,
                                  .properties = &property,
                                  .n_properties = 1};
    int64_t n = topic_bytes / (int64_t)size;
    make_topic(&config, size, n);
    config.n_properties = 0;
    double best[2] = {1e9, 1e9};
    for (int round = 0; round < 2 * ROUNDS; round++) {
        bool natively = (round + round / 2) % 2; // 0 1 1 0
        double ns = measure(&config, natively, n);
        best[natively] = ns < best[natively] ? ns : best[natively];
        snprintf(name, sizeof(name), "%zu bytes, %s, %s, round %d", size, codec,
                 natively ? "native" : "librdkafka", round);
        bench_result("fetch", name, ns, "ns of CPU a record");
    }
    snprintf(name, sizeof(name), "%zu bytes, %s: librdkafka over native", size, codec);
    bench_result("fetch", name, best[0] / best[1], "x");
}

int main(int argc, char **argv)
{
    if (argc < 2 || argc > 3) {
        fputs("usage: bench_fetch BROKERS [BYTES]\n", stderr);
        return 2;
    }
    int64_t topic_bytes = argc == 3 ? atoll(argv[2]) : INT64_C(300000000);
    compare(argv[1], topic_bytes, 100, "none");
    compare(argv[1], topic_bytes, 1000, "none");
    compare(argv[1], topic_bytes, 100, "zstd");
    return 0;
}
