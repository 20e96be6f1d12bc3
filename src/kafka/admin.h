// SPDX-License-Identifier: Apache-2.0
// Topics and groups of a cluster: for init and for check --live.
//
// Each call waits for its answer, at most config->timeout_ms. Threads: one owner.
// Errors: ST_RETRY when the brokers cannot be reached; texts name brokers and topic.
#ifndef KAFKA_ADMIN_H
#define KAFKA_ADMIN_H

#include "base/buf.h"
#include "kafka/config.h"

struct kafka_admin;

struct kafka_topic {
    int32_t partitions;
    int32_t replication; // of partition 0
};

// config->topic is not looked at.
enum status kafka_admin_open(const struct kafka_config *config, struct kafka_admin **ret,
                             struct err *err);
void kafka_admin_close(struct kafka_admin *admin);

// ST_NOT_FOUND: there is no such topic.
enum status kafka_admin_describe(struct kafka_admin *admin, const char *topic,
                                 struct kafka_topic *ret, struct err *err);
// Returns when all partitions have a leader. ST_EXISTS: it is there, made by another;
// describe tells what.
enum status kafka_admin_create(struct kafka_admin *admin, const char *topic,
                               struct kafka_topic wanted, struct err *err);
// How many members the group has now, and which: "client at host, client at host". One
// that was killed counts until its session times out.
enum status kafka_admin_members(struct kafka_admin *admin, const char *group, size_t *ret,
                                struct buf *names, struct err *err);

#endif
