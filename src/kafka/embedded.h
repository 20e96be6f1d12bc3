// SPDX-License-Identifier: Apache-2.0
// A Kafka broker inside this process (librdkafka's mock cluster), for the demo and tests.
//
// It speaks the protocol on a port of 127.0.0.1. Its limits: each partition keeps about
// 5 MB and drops the oldest records in silence; joining a group takes 3 s; an admin
// client cannot make topics, but a topic that is merely asked for is made, with 4
// partitions. Threads: one owner; any number of clients, in this process or others.
#ifndef KAFKA_EMBEDDED_H
#define KAFKA_EMBEDDED_H

#include <stdint.h>

#include "base/status.h"

struct kafka_embedded;

enum status kafka_embedded_open(struct kafka_embedded **ret, struct err *err);
// "127.0.0.1:port"; lives as long as the broker.
const char *kafka_embedded_brokers(const struct kafka_embedded *embedded);
enum status kafka_embedded_create_topic(struct kafka_embedded *embedded,
                                        const char *topic, int32_t partitions,
                                        struct err *err);
// Ends the broker; its records are gone.
void kafka_embedded_close(struct kafka_embedded *embedded);

#endif
