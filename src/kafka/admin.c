// SPDX-License-Identifier: Apache-2.0
#include "kafka/admin.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "kafka/group.h"
#include "kafka/lookup.h"
#include "kafka/request.h"

enum {
    ANY_NUMBER = -1, // of partitions
    AGAIN_MS = 50,   // between two looks at a topic that is being made
};

// A consumer's handle without a group: unlike a producer's, its questions make no topic.
static const struct kafka_property fixed[] = {
    {"allow.auto.create.topics", "false"},
};

struct kafka_admin {
    struct kafka_client client; // first: librdkafka's opaque pointer
};

enum status kafka_admin_open(const struct kafka_config *config, struct kafka_admin **ret,
                             struct err *err)
{
    struct conf_properties none = {0};
    rd_kafka_conf_t *conf;
    TRY(conf_new(config, none, (struct conf_properties){fixed, ARRAY_LEN(fixed)}, &conf,
                 err));
    struct kafka_admin *admin = mem_zalloc(sizeof(*admin));
    enum status rc = client_open(&admin->client, config, RD_KAFKA_CONSUMER, conf, err);
    if (rc != ST_OK) {
        kafka_admin_close(admin);
        return rc;
    }
    *ret = admin;
    return ST_OK;
}

void kafka_admin_close(struct kafka_admin *admin)
{
    if (admin == NULL)
        return;
    client_close(&admin->client);
    free(admin);
}

static enum status shape_of(struct kafka_admin *admin, const char *topic,
                            struct topic_shape *ret, struct err *err)
{
    rd_kafka_topic_t *handle = rd_kafka_topic_new(admin->client.rk, topic, NULL);
    if (handle == NULL)
        return err_set(err, ST_USAGE,
                       "topic '%s': not a name for a topic; a name has at most 249 "
                       "letters, digits, '.', '_' and '-'",
                       topic);
    enum status rc = lookup_topic(&admin->client, handle, ret, err);
    rd_kafka_topic_destroy(handle);
    return rc;
}

enum status kafka_admin_describe(struct kafka_admin *admin, const char *topic,
                                 struct kafka_topic *ret, struct err *err)
{
    struct topic_shape shape;
    TRY(shape_of(admin, topic, &shape, err));
    *ret = (struct kafka_topic){shape.partitions, shape.replication};
    return ST_OK;
}

// Of a request about one topic.
static enum status topic_result(struct kafka_request *request,
                                const rd_kafka_topic_result_t **results, size_t n,
                                struct err *err)
{
    assert(n == 1);
    rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[0]);
    if (!code)
        return ST_OK;
    const char *text = rd_kafka_topic_result_error_string(results[0]);
    return err_set(err, request_status(code), "topic '%s' on %s: %s",
                   rd_kafka_topic_result_name(results[0]), request->client->brokers,
                   text != NULL ? text : rd_kafka_err2str(code));
}

// ---- topics

// The brokers answer before all of them know: waits until each of so many partitions has
// a leader.
static enum status wait_for_shape(struct kafka_admin *admin, const char *topic,
                                  int32_t partitions, struct err *err)
{
    int64_t deadline = client_now_ms() + admin->client.timeout_ms;
    do {
        struct topic_shape shape = {0};
        enum status rc = shape_of(admin, topic, &shape, err);
        if (rc == ST_OK && shape.leaderless == 0 &&
            (partitions == ANY_NUMBER || shape.partitions == partitions))
            return ST_OK;
        if (rc != ST_OK && rc != ST_NOT_FOUND && rc != ST_RETRY)
            return rc;
        if (client_is_out_of_time(&admin->client))
            return client_out_of_time(&admin->client, err);
        rd_kafka_poll(admin->client.rk, AGAIN_MS);
    } while (client_now_ms() < deadline);
    return err_set(err, ST_RETRY, "topic '%s' on %s: not ready within %d ms", topic,
                   admin->client.brokers, admin->client.timeout_ms);
}

static enum status send_create(struct kafka_request *request, rd_kafka_NewTopic_t *topic,
                               const char *name, struct err *err)
{
    rd_kafka_CreateTopics(request->client->rk, &topic, 1, request->options,
                          request->queue);
    TRY(request_wait(request, "topic", name, err));
    size_t n;
    const rd_kafka_topic_result_t **results = rd_kafka_CreateTopics_result_topics(
        rd_kafka_event_CreateTopics_result(request->answer), &n);
    return topic_result(request, results, n, err);
}

enum status kafka_admin_create(struct kafka_admin *admin, const char *topic,
                               struct kafka_topic wanted, struct err *err)
{
    char text[256];
    rd_kafka_NewTopic_t *new_topic = rd_kafka_NewTopic_new(
        topic, wanted.partitions, wanted.replication, text, sizeof(text));
    if (new_topic == NULL)
        return err_set(err, ST_USAGE, "topic '%s': %s", topic, text);
    struct kafka_request request;
    request_begin(&request, &admin->client, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    enum status rc = send_create(&request, new_topic, topic, err);
    request_end(&request);
    rd_kafka_NewTopic_destroy(new_topic);
    if (rc == ST_EXISTS) { // made by another, perhaps a moment ago
        TRY(wait_for_shape(admin, topic, ANY_NUMBER, err));
        return ST_EXISTS;
    }
    TRY(rc);
    return wait_for_shape(admin, topic, wanted.partitions, err);
}

enum status kafka_admin_members(struct kafka_admin *admin, const char *group, size_t *ret,
                                struct buf *names, struct err *err)
{
    struct group_look look;
    TRY(group_look(&admin->client, group, &look, names, err));
    *ret = look.members;
    return ST_OK;
}
