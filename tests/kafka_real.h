// SPDX-License-Identifier: Apache-2.0
// For tests of src/kafka against real brokers, which TRAMLINE_BROKERS names: topics of
// their own, transactions, and what only an operator does.
#ifndef TESTS_KAFKA_REAL_H
#define TESTS_KAFKA_REAL_H

#include "kafka_help.h"

#include "kafka/admin.h"

static const char *brokers;
static struct kafka_admin *admin;

// A topic of its own for each case; its name is in `name`.
UNUSED static struct kafka_config make_topic(char name[64], int32_t partitions)
{
    static int n;
    struct err err;
    snprintf(name, 64, "tramline-test-%d-%d", (int)getpid(), n++);
    assert_ok(kafka_admin_create(admin, name, (struct kafka_topic){partitions, 1}, &err),
              &err);
    return (struct kafka_config){.brokers = brokers,
                                 .topic = name,
                                 .group = name,
                                 .membership = KAFKA_NONE,
                                 .session_timeout_ms = 6000};
}

// What the program does not do to topics is asked of librdkafka. Waits until the topic
// has so many partitions; 0: until it is gone.
UNUSED static void wait_for_partitions(const char *name, int32_t n)
{
    struct kafka_topic topic;
    struct err err;
    int64_t deadline = now_ms() + PATIENCE_MS;
    do {
        topic.partitions = 0;
        enum status rc = kafka_admin_describe(admin, name, &topic, &err);
        assert_true(rc == ST_OK || rc == ST_NOT_FOUND || rc == ST_RETRY);
        if (topic.partitions != n)
            usleep(50000);
    } while (topic.partitions != n && now_ms() < deadline);
    assert_int_equal(topic.partitions, n);
}

UNUSED static void end_request(rd_kafka_t *rk, rd_kafka_queue_t *queue)
{
    rd_kafka_event_t *answer = rd_kafka_queue_poll(queue, PATIENCE_MS);
    assert_non_null(answer);
    assert_int_equal(rd_kafka_event_error(answer), 0);
    rd_kafka_event_destroy(answer);
    rd_kafka_queue_destroy(queue);
    raw_close(rk);
}

static const char *const no_properties[] = {NULL};

UNUSED static void grow_topic(const char *name, int32_t n)
{
    char text[256];
    rd_kafka_t *rk = raw_producer(brokers, no_properties);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_NewPartitions_t *partitions =
        rd_kafka_NewPartitions_new(name, (size_t)n, text, sizeof(text));
    rd_kafka_CreatePartitions(rk, &partitions, 1, NULL, queue);
    end_request(rk, queue);
    rd_kafka_NewPartitions_destroy(partitions);
    wait_for_partitions(name, n);
}

UNUSED static void drop_topic(const char *name)
{
    rd_kafka_t *rk = raw_producer(brokers, no_properties);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(name);
    rd_kafka_DeleteTopics(rk, &topic, 1, NULL, queue);
    end_request(rk, queue);
    rd_kafka_DeleteTopic_destroy(topic);
    wait_for_partitions(name, 0);
}

UNUSED static void transaction(rd_kafka_t *rk, const char *topic, int n,
                               bool is_committed)
{
    assert_null(rd_kafka_begin_transaction(rk));
    for (int i = 0; i < n; i++)
        raw_produce(rk, topic, 0, "key", is_committed ? "good" : "bad", 0);
    assert_int_equal(rd_kafka_flush(rk, PATIENCE_MS), 0);
    assert_null(is_committed ? rd_kafka_commit_transaction(rk, PATIENCE_MS)
                             : rd_kafka_abort_transaction(rk, PATIENCE_MS));
}

UNUSED static rd_kafka_t *transactional(const char *id)
{
    const char *properties[] = {"transactional.id", id, NULL};
    rd_kafka_t *rk = raw_producer(brokers, properties);
    assert_null(rd_kafka_init_transactions(rk, PATIENCE_MS));
    return rk;
}

UNUSED static void delete_records(const char *topic, int64_t before)
{
    const char *none[] = {NULL};
    rd_kafka_t *rk = raw_producer(brokers, none);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, 0)->offset = before;
    rd_kafka_DeleteRecords_t *request = rd_kafka_DeleteRecords_new(list);
    rd_kafka_DeleteRecords(rk, &request, 1, NULL, queue);
    rd_kafka_event_t *answer = rd_kafka_queue_poll(queue, PATIENCE_MS);
    assert_int_equal(rd_kafka_event_error(answer), 0);
    rd_kafka_event_destroy(answer);
    rd_kafka_DeleteRecords_destroy(request);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(rk);
}

UNUSED static bool open_admin(void)
{
    brokers = getenv("TRAMLINE_BROKERS");
    if (brokers == NULL) {
        puts("TRAMLINE_BROKERS is not set; ./dev up kafka tells it");
        return false;
    }
    const struct kafka_config config = {.brokers = brokers};
    struct err err;
    if (kafka_admin_open(&config, &admin, &err) != ST_OK) {
        puts(err.text);
        return false;
    }
    return true;
}

#endif
