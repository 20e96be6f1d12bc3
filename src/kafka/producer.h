// SPDX-License-Identifier: Apache-2.0
// Publishes records to one topic: idempotent, compressed, in the order given for each
// key. Keys are spread over the partitions as Java's default partitioner does (murmur2).
//
// Records are queued and sent by librdkafka's threads; the queue is limited and produce()
// waits while it is full. Each failed delivery is counted; after the first one produce()
// and flush() fail with its text.
//
// Threads: one owner. Errors: ST_RETRY when the brokers do not answer in time.
#ifndef KAFKA_PRODUCER_H
#define KAFKA_PRODUCER_H

#include "core/produced.h"
#include "kafka/config.h"

struct kafka_producer;

struct kafka_delivery {
    int64_t n_acknowledged; // stored by the brokers, all replicas in sync
    int64_t n_failed;
    int64_t n_unsent;  // dropped from the queue, before the deadline
    int64_t n_waiting; // queued or on their way
};

// The topic must be there: ST_NOT_FOUND.
enum status kafka_producer_open(const struct kafka_config *config,
                                struct kafka_producer **ret, struct err *err);
// Copies all of it. The record's time is now. ST_RETRY: the queue is full, and the
// config's deadline is over.
enum status kafka_producer_produce(struct kafka_producer *producer,
                                   const struct produced *record, struct err *err);
// Waits until all records are acknowledged; as long as some are within each
// message.timeout.ms (60 s). Where there is a deadline, what still waits in the queue 6 s
// before it is dropped, so that those on their way are answered and memory is given back
// in time; it is not waited for anything in its last 3 s. `ret` is set whatever the
// status.
enum status kafka_producer_flush(struct kafka_producer *producer,
                                 const struct deadline *deadline,
                                 struct kafka_delivery *ret, struct err *err);
// Drops what was not flushed.
void kafka_producer_close(struct kafka_producer *producer);

#endif
