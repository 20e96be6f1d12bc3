// SPDX-License-Identifier: Apache-2.0
// The librdkafka consumer behind a stream: how it is configured, how it joins a group,
// how it says farewell. Threads: one owner.
#ifndef KAFKA_CONSUMER_H
#define KAFKA_CONSUMER_H

#include "kafka/client.h"

typedef int consumer_stats_fn(rd_kafka_t *rk, char *json, size_t n, void *client);
typedef void consumer_rebalance_fn(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                                   rd_kafka_topic_partition_list_t *list, void *client);

// n_partitions of the topic share config->buffer_bytes.
enum status consumer_open(struct kafka_client *client, const struct kafka_config *config,
                          int32_t n_partitions, consumer_rebalance_fn *on_rebalance,
                          consumer_stats_fn *on_stats, struct err *err);
// Begins to join the group of the config for its topic.
void consumer_join(struct kafka_client *client, const struct kafka_config *config);
// How often the client looks at the topic for new partitions.
int64_t consumer_refresh_ms(const struct kafka_client *client);
// Leaves the group, so that the others have the partitions at once; waits at most 2 s for
// it. Does not close librdkafka's consumer: once that closes, calls that await an answer
// may get none (librdkafka #4884).
void consumer_leave(struct kafka_client *client, const char *topic);

#endif
