// SPDX-License-Identifier: Apache-2.0
#include "kafka/admin.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "kafka/lookup.h"

enum {
    SLICE_MS = 200,  // between two looks at the deadline
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

// ---- one request and its answer

struct request {
    struct kafka_admin *admin;
    rd_kafka_AdminOptions_t *options;
    rd_kafka_queue_t *queue;
    rd_kafka_event_t *answer;
};

static void request_begin(struct request *request, struct kafka_admin *admin,
                          rd_kafka_admin_op_t kind)
{
    rd_kafka_t *rk = admin->client.rk;
    *request = (struct request){
        .admin = admin,
        .options = rd_kafka_AdminOptions_new(rk, kind),
        .queue = rd_kafka_queue_new(rk),
    };
    rd_kafka_AdminOptions_set_request_timeout(request->options, admin->client.timeout_ms,
                                              NULL, 0);
}

static void request_end(struct request *request)
{
    if (request->answer != NULL)
        rd_kafka_event_destroy(request->answer);
    rd_kafka_queue_destroy(request->queue);
    rd_kafka_AdminOptions_destroy(request->options);
}

static enum status status_of(rd_kafka_resp_err_t code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        return ST_OK;
    case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS:
        return ST_EXISTS;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND:
        return ST_NOT_FOUND;
    case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS:
    case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
        return ST_USAGE;
    default:
        return ST_FAIL;
    }
}

// Waits for the answer; ST_OK says only that there is one.
static enum status request_wait(struct request *request, const char *what,
                                const char *name, struct err *err)
{
    struct kafka_client *client = &request->admin->client;
    while ((request->answer = rd_kafka_queue_poll(request->queue, SLICE_MS)) == NULL) {
        rd_kafka_poll(client->rk, 0);
        if (client_is_out_of_time(client))
            return client_out_of_time(client, err);
    }
    rd_kafka_poll(client->rk, 0);
    rd_kafka_resp_err_t code = rd_kafka_event_error(request->answer);
    if (client_is_unanswered(code))
        return client_unreachable(client, err);
    if (code)
        return err_set(err, status_of(code), "%s '%s' on %s: %s", what, name,
                       client->brokers, rd_kafka_event_error_string(request->answer));
    return ST_OK;
}

// Of a request about one topic.
static enum status topic_result(struct request *request,
                                const rd_kafka_topic_result_t **results, size_t n,
                                struct err *err)
{
    assert(n == 1);
    rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[0]);
    if (!code)
        return ST_OK;
    const char *text = rd_kafka_topic_result_error_string(results[0]);
    return err_set(err, status_of(code), "topic '%s' on %s: %s",
                   rd_kafka_topic_result_name(results[0]), request->admin->client.brokers,
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

static enum status send_create(struct request *request, rd_kafka_NewTopic_t *topic,
                               const char *name, struct err *err)
{
    rd_kafka_CreateTopics(request->admin->client.rk, &topic, 1, request->options,
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
    struct request request;
    request_begin(&request, admin, RD_KAFKA_ADMIN_OP_CREATETOPICS);
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

// ---- groups

static void name_member(const rd_kafka_MemberDescription_t *member, struct buf *names)
{
    const char *host = rd_kafka_MemberDescription_host(member);
    buf_printf(names, "%s%s at %s", names->n > 0 ? ", " : "",
               rd_kafka_MemberDescription_client_id(member),
               host[0] == '/' ? host + 1 : host); // brokers write "/127.0.0.1"
}

static enum status group_result(struct request *request, const char *group,
                                const rd_kafka_error_t *error, struct err *err)
{
    rd_kafka_resp_err_t code = error == NULL ? 0 : rd_kafka_error_code(error);
    if (!code)
        return ST_OK;
    return err_set(err, client_is_unanswered(code) ? ST_RETRY : status_of(code),
                   "group '%s' on %s: %s", group, request->admin->client.brokers,
                   rd_kafka_error_string(error));
}

static enum status send_describe(struct request *request, const char *group, size_t *ret,
                                 struct buf *names, struct err *err)
{
    rd_kafka_DescribeConsumerGroups(request->admin->client.rk, &group, 1,
                                    request->options, request->queue);
    TRY(request_wait(request, "group", group, err));
    size_t n;
    const rd_kafka_ConsumerGroupDescription_t **groups =
        rd_kafka_DescribeConsumerGroups_result_groups(
            rd_kafka_event_DescribeConsumerGroups_result(request->answer), &n);
    *ret = 0;
    if (n == 0)
        return ST_OK;
    TRY(group_result(request, group, rd_kafka_ConsumerGroupDescription_error(groups[0]),
                     err));
    *ret = rd_kafka_ConsumerGroupDescription_member_count(groups[0]);
    for (size_t i = 0; i < *ret; i++)
        name_member(rd_kafka_ConsumerGroupDescription_member(groups[0], i), names);
    return ST_OK;
}

// A broker that has just begun to look after the group asks for patience.
enum status kafka_admin_members(struct kafka_admin *admin, const char *group, size_t *ret,
                                struct buf *names, struct err *err)
{
    int64_t deadline = client_now_ms() + admin->client.timeout_ms;
    enum status rc;
    do {
        struct request request;
        request_begin(&request, admin, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS);
        rc = send_describe(&request, group, ret, names, err);
        request_end(&request);
        if (rc == ST_RETRY)
            rd_kafka_poll(admin->client.rk, AGAIN_MS);
    } while (rc == ST_RETRY && client_now_ms() < deadline &&
             !client_is_out_of_time(&admin->client));
    return rc == ST_NOT_FOUND ? ST_OK : rc; // no such group has no members
}
