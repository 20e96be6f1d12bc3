// SPDX-License-Identifier: Apache-2.0
// Questions about one topic: how many partitions, which offsets, what does a record hold.
//
// A handle of its own beside the one that reads the stream: there an answer would wait
// behind the fetches on the same connection, up to half a second each. Belongs to no
// group. Each call waits at most the client's time, and not beyond its
// deadline. Threads: one owner.
#ifndef KAFKA_LOOKUP_H
#define KAFKA_LOOKUP_H

#include "core/topic.h"
#include "kafka/client.h"

struct kafka_lookup {
    struct kafka_client client; // first: see client_open
    char *topic;
    rd_kafka_topic_t *handle;
    char *cluster;               // id of the cluster
    rd_kafka_message_t *fetched; // what lookup_fetch lent
    bool value_schema;           // records tell their header
};

// Finds the topic and the cluster's id. ST_NOT_FOUND: "topic 'x' is not on the brokers".
// On failure, too, lookup_close is due.
enum status lookup_open(struct kafka_lookup *lookup, const struct kafka_config *config,
                        int32_t *ret_partitions, struct err *err);
void lookup_close(struct kafka_lookup *lookup);

enum status lookup_count(struct kafka_lookup *lookup, int32_t *ret, struct err *err);
enum status lookup_range(struct kafka_lookup *lookup, int32_t partition,
                         struct topic_range *ret, struct err *err);
enum status lookup_offset_at(struct kafka_lookup *lookup, int32_t partition,
                             int64_t time_ms, int64_t *ret, struct err *err);
enum status lookup_fetch(struct kafka_lookup *lookup, int32_t partition, int64_t offset,
                         struct record *ret, struct err *err);

// What the topic looks like, by any client. ST_NOT_FOUND as above.
struct topic_shape {
    int32_t partitions;
    int32_t replication; // of partition 0
    int32_t leaderless;  // partitions that have no leader now
};
enum status lookup_topic(struct kafka_client *client, rd_kafka_topic_t *handle,
                         struct topic_shape *ret, struct err *err);

#endif
