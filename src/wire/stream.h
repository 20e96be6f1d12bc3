// SPDX-License-Identifier: Apache-2.0
// The stream port (core/stream.h) over a Kafka topic, by connections of its own
// (connection.h): no thread but for the look-up of names, no wait but poll's.
//
// All partitions of the topic are read; there is no group to join. Partitions that are
// added are taken by REVOKE and ASSIGN. Memory: answers take at most buffer_bytes, plain
// bytes of a compressed batch as much again, only where a batch is so large.
//
// Errors: ST_RETRY when no broker can be reached, ST_NOT_FOUND when the topic is gone or
// was recreated, ST_DATA and ST_LIMIT as in reader.h and fetcher.h; the rest is final.
// Threads: one owner, but wake.
#ifndef WIRE_STREAM_H
#define WIRE_STREAM_H

#include "core/stream.h"
#include "wire/security.h"

struct wire_config {
    const char *brokers; // host:port, by commas
    const char *topic;
    const char *group; // told how far was read
    const char *client_id;
    int32_t n_partitions; // of the topic
    int64_t buffer_bytes;
    size_t run_records;
    bool value_schema;  // records tell their header __value_schema_id
    int timeout_ms;     // of an answer
    int64_t refresh_ms; // between two looks for new partitions
    struct wire_security_config security;
};

enum status wire_stream_open(const struct wire_config *config, struct stream **ret,
                             struct err *err);

#endif
