// SPDX-License-Identifier: Apache-2.0
// The source port (core/source.h) over a Kafka topic.
//
// One librdkafka consumer; each partition has its own queue, read in batches, round
// robin. A held partition is one whose queue is not read: nothing is paused and nothing
// is sought. Records are borrowed from librdkafka's buffers. The group's rebalances are
// eager: all partitions are revoked, then the new ones assigned. Offsets come only from
// start(); the group's own are written (report) and never read.
//
// Threads: one owner, and one that asks questions (a handle of its own answers them,
// under a lock for which poll() does not wait). Blocks in poll() on a file descriptor; an
// idle source costs less than 1 % of a core. poll() must be called at least every 5
// minutes (librdkafka's max.poll.interval.ms, here never less than the session timeout),
// also while the owner commits before stop(); the other members wait for it that long.
//
// Errors: ST_RETRY when the brokers cannot be reached; ST_NOT_FOUND when there is no such
// topic; ST_DATA when bytes fail their checksum; the rest is final.
#ifndef KAFKA_SOURCE_H
#define KAFKA_SOURCE_H

#include "core/source.h"
#include "kafka/config.h"

// Finds the topic and the cluster's id (at most config->timeout_ms), then begins to join.
// ST_NOT_FOUND: "topic 'x' is not on the brokers ...".
enum status kafka_source_open(const struct kafka_config *config, struct source **ret,
                              struct err *err);

#endif
