// SPDX-License-Identifier: Apache-2.0
// The stream port (core/stream.h) over a Kafka topic.
//
// One librdkafka consumer; each partition has its own queue, read in batches, round
// robin. A held partition is one whose queue is not read: nothing is paused and nothing
// is sought. Records are borrowed from librdkafka's buffers. The group's rebalances are
// eager: all partitions are revoked, then the new ones assigned. Offsets come only from
// start(); the group's own are written (report) and never read.
//
// Threads: one owner. What the stream itself wants to know of the topic (where a gap
// ends, whether partitions were added) the asker asks, and a poll does not wait for it.
// Blocks in poll() on a file descriptor; an idle stream costs less than 1 % of a core.
// poll() must be called at least every 5 minutes (librdkafka's max.poll.interval.ms, here
// never less than the session timeout), also while the owner commits before stop(); the
// other members wait for it that long.
//
// Errors: ST_RETRY when the brokers cannot be reached; ST_NOT_FOUND when the topic is
// gone; ST_DATA when bytes fail their checksum; the rest is final.
#ifndef KAFKA_STREAM_H
#define KAFKA_STREAM_H

#include "base/asker.h"
#include "core/stream.h"
#include "core/topic.h"
#include "kafka/config.h"

// Begins to join. `topic` is one of kafka_topic_open with the same config, `asker` one
// that may ask it: both borrowed. To be closed after the asker has been joined.
enum status kafka_stream_open(const struct kafka_config *config, struct topic *topic,
                              struct asker *asker, struct stream **ret, struct err *err);

#endif
