// SPDX-License-Identifier: Apache-2.0
#include "kafka/request.h"

enum {
    SLICE_MS = 200 // between two looks at the deadline
};

void request_begin(struct kafka_request *request, struct kafka_client *client,
                   rd_kafka_admin_op_t kind)
{
    rd_kafka_t *rk = client->rk;
    *request = (struct kafka_request){
        .client = client,
        .options = rd_kafka_AdminOptions_new(rk, kind),
        .queue = rd_kafka_queue_new(rk),
    };
    rd_kafka_AdminOptions_set_request_timeout(request->options, client->timeout_ms, NULL,
                                              0);
}

void request_end(struct kafka_request *request)
{
    if (request->answer != NULL)
        rd_kafka_event_destroy(request->answer);
    rd_kafka_queue_destroy(request->queue);
    rd_kafka_AdminOptions_destroy(request->options);
}

enum status request_status(rd_kafka_resp_err_t code)
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

enum status request_wait(struct kafka_request *request, const char *what,
                         const char *name, struct err *err)
{
    struct kafka_client *client = request->client;
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
        return err_set(err, request_status(code), "%s '%s' on %s: %s", what, name,
                       client->brokers, rd_kafka_event_error_string(request->answer));
    return ST_OK;
}
