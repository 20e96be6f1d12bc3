// SPDX-License-Identifier: Apache-2.0
// Where the partitions that are fetched end, as the brokers say with each fetch.
//
// How: librdkafka tells it in its statistics, made by itself without a question to
// anybody. It holds of a partition only while that is fetched: a connection to its broker
// is alive, and there is room for more of its records. Threads: one owner.
#ifndef KAFKA_ENDS_H
#define KAFKA_ENDS_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kafka_ends {
    const char *topic;                      // borrowed
    int64_t queued_most, queued_bytes_most; // with more a partition is not fetched
    int64_t interval_ms;                    // between two statistics
    int64_t told_ms;                        // monotonic, of the last ones
    int64_t *items;                         // by partition; -1: it is not fetched
    size_t n;
};

// Beside `rk`, whose configuration says how often and how much.
void ends_init(struct kafka_ends *ends, const rd_kafka_t *rk, const char *topic);
void ends_take(struct kafka_ends *ends, const char *json, size_t n, int64_t now_ms);
void ends_forget(struct kafka_ends *ends); // what was told of an assignment that is over
int64_t ends_of(const struct kafka_ends *ends, int32_t partition, int64_t now_ms);
void ends_release(struct kafka_ends *ends);

#endif
