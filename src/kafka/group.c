// SPDX-License-Identifier: Apache-2.0
#include "kafka/group.h"

#include "kafka/request.h"

enum {
    AGAIN_MS = 50 // between two looks at a group that a broker does not know yet
};

static void name_member(const rd_kafka_MemberDescription_t *member, struct buf *names)
{
    const char *host = rd_kafka_MemberDescription_host(member);
    buf_printf(names, "%s%s at %s", names->n > 0 ? ", " : "",
               rd_kafka_MemberDescription_client_id(member),
               host[0] == '/' ? host + 1 : host); // brokers write "/127.0.0.1"
}

static enum status group_result(struct kafka_request *request, const char *group,
                                const rd_kafka_error_t *error, struct err *err)
{
    rd_kafka_resp_err_t code = error == NULL ? 0 : rd_kafka_error_code(error);
    if (!code)
        return ST_OK;
    return err_set(err, client_is_unanswered(code) ? ST_RETRY : request_status(code),
                   "group '%s' on %s: %s", group, request->client->brokers,
                   rd_kafka_error_string(error));
}

static void take_group(const rd_kafka_ConsumerGroupDescription_t *group,
                       struct group_look *ret, struct buf *names)
{
    ret->members = rd_kafka_ConsumerGroupDescription_member_count(group);
    ret->is_stable = rd_kafka_ConsumerGroupDescription_state(group) ==
                     RD_KAFKA_CONSUMER_GROUP_STATE_STABLE;
    for (size_t i = 0; names != NULL && i < ret->members; i++)
        name_member(rd_kafka_ConsumerGroupDescription_member(group, i), names);
}

static enum status send_describe(struct kafka_request *request, const char *group,
                                 struct group_look *ret, struct buf *names,
                                 struct err *err)
{
    rd_kafka_DescribeConsumerGroups(request->client->rk, &group, 1, request->options,
                                    request->queue);
    TRY(request_wait(request, "group", group, err));
    size_t n;
    const rd_kafka_ConsumerGroupDescription_t **groups =
        rd_kafka_DescribeConsumerGroups_result_groups(
            rd_kafka_event_DescribeConsumerGroups_result(request->answer), &n);
    if (n == 0)
        return ST_OK;
    TRY(group_result(request, group, rd_kafka_ConsumerGroupDescription_error(groups[0]),
                     err));
    take_group(groups[0], ret, names);
    return ST_OK;
}

// A broker that has just begun to look after the group asks for patience.
enum status group_look(struct kafka_client *client, const char *group,
                       struct group_look *ret, struct buf *names, struct err *err)
{
    int64_t deadline = client_now_ms() + client->timeout_ms;
    enum status rc;
    *ret = (struct group_look){0};
    do {
        struct kafka_request request;
        request_begin(&request, client, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS);
        rc = send_describe(&request, group, ret, names, err);
        request_end(&request);
        if (rc == ST_RETRY)
            rd_kafka_poll(client->rk, AGAIN_MS);
    } while (rc == ST_RETRY && client_now_ms() < deadline &&
             !client_is_out_of_time(client));
    return rc == ST_NOT_FOUND ? ST_OK : rc;
}
