// SPDX-License-Identifier: Apache-2.0
// What a script and its command say about a Kafka topic and how to reach it.
//
// Filled once by the caller and given to topic, stream, producer and admin client,
// which copy what they keep. Zero in a number means the default.
#ifndef KAFKA_CONFIG_H
#define KAFKA_CONFIG_H

#include <stdbool.h>

#include "base/status.h"
#include "base/str.h"
#include "core/deadline.h"

// A property of the Kafka client, as a script sets it: "kafka.<name>" = '<value>'.
struct kafka_property {
    const char *name; // without "kafka."
    const char *value;
};

enum kafka_membership {
    KAFKA_GROUP, // members of the group share the partitions
    KAFKA_NONE,  // this one reads all partitions; there is no group to join
};

struct kafka_config {
    const char *brokers; // host:port, by commas
    const char *topic;
    const struct kafka_property *properties;
    size_t n_properties;
    bool is_native;                  // client = 'native'
    int timeout_ms;                  // longest wait for one answer; default 10 s
    const struct deadline *deadline; // of opening and, for a topic, as in struct topic

    // The rest is for the stream alone.
    const char *group;    // consumer group: joined, or only told of the progress
    const char *instance; // a part of the client's name to the brokers; may be NULL
    const char *member;   // a static member's name, of client = 'native'; may be NULL
    int32_t
        members; // so many of the group are waited for before one begins; 0: for nobody
    enum kafka_membership membership;
    int64_t buffer_bytes;   // most memory for records fetched and not read; 384 MB
    int session_timeout_ms; // 6 s
    int32_t run_records;    // most records of one run; 4096
    bool value_schema;      // records tell their header __value_schema_id
    bool no_ends;           // where partitions end is not told
};

// Checks the properties without any contact, each by itself. ST_USAGE: the text names the
// property.
enum status kafka_config_check(const struct kafka_config *config, struct err *err);
// What those of SASL lack together.
enum status kafka_config_check_sasl(const struct kafka_config *config, struct err *err);

#endif
