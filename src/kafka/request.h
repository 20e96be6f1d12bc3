// SPDX-License-Identifier: Apache-2.0
// One request of librdkafka's admin calls and the wait for its answer. Threads: the
// client's owner.
#ifndef KAFKA_REQUEST_H
#define KAFKA_REQUEST_H

#include "kafka/client.h"

struct kafka_request {
    struct kafka_client *client; // borrowed
    rd_kafka_AdminOptions_t *options;
    rd_kafka_queue_t *queue;
    rd_kafka_event_t *answer;
};

void request_begin(struct kafka_request *request, struct kafka_client *client,
                   rd_kafka_admin_op_t kind);
// Waits for the answer, which is then in the request; ST_OK says only that there is one.
enum status request_wait(struct kafka_request *request, const char *what,
                         const char *name, struct err *err);
void request_end(struct kafka_request *request);

// What a broker's refusal of one is to the caller.
enum status request_status(rd_kafka_resp_err_t code);

#endif
