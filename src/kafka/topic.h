// SPDX-License-Identifier: Apache-2.0
// The topic port (core/topic.h) over a Kafka topic: a lookup (lookup.h) with its own
// handle, or with client = 'native' connections of its own (native_topic.h). Errors:
// ST_RETRY when the brokers, or a partition's leader, do not answer; ST_NOT_FOUND when
// there is no such topic; ST_DATA when it was recreated with fewer partitions; the rest
// is final.
#ifndef KAFKA_TOPIC_H
#define KAFKA_TOPIC_H

#include "core/topic.h"
#include "kafka/config.h"
#include "kafka/group.h"

// Finds the topic and the cluster's id (at most config->timeout_ms).
// ST_NOT_FOUND: "topic 'x' is not on the brokers ...".
enum status kafka_topic_open(const struct kafka_config *config, struct topic **ret,
                             struct err *err);
// How many partitions it had when it was opened.
int32_t kafka_topic_opened_with(const struct topic *topic);
// Who is in config->group now.
enum status kafka_topic_group(struct topic *topic, struct group_look *ret,
                              struct err *err);

#endif
