// SPDX-License-Identifier: Apache-2.0
// The stream port (core/stream.h) over a Kafka topic, by connections of its own
// (connection.h): no thread but for the look-up of names and a membership's heartbeats,
// no wait but poll's.
//
// A member of a group reads what the group gives it (group.h). Without a group all
// partitions of the topic are read; those that are added are taken by REVOKE and ASSIGN.
// Memory: answers take at most buffer_bytes, plain
// bytes of a compressed batch as much again, only where a batch is so large.
//
// Errors: ST_RETRY when no broker can be reached, ST_NOT_FOUND when the topic is gone,
// ST_DATA when it was recreated; ST_DATA and ST_LIMIT as in reader.h and fetcher.h; those
// of a member as in member.h; the rest is final.
// Threads: one owner, but wake.
#ifndef WIRE_STREAM_H
#define WIRE_STREAM_H

#include "core/stream.h"
#include "wire/security.h"

struct wire_config {
    const char *brokers; // host:port, by commas
    const char *topic;
    const char *group;    // told how far was read
    bool is_member;       // and joined
    const char *instance; // a static member's name; NULL: a dynamic member
    int session_ms;       // of a member
    int max_poll_ms;      // without a poll it is taken for hung, and leaves
    int32_t members;      // of the group that are waited for at first; 0: none
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
