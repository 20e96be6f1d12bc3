// SPDX-License-Identifier: Apache-2.0
// The requests that are made, which of their versions are known here, and their headers
// (Kafka protocol guide, "Request Header", "Response Header"; version choice: KIP-35;
// flexible versions: KIP-482; which brokers still take which: KIP-896).
#ifndef WIRE_API_H
#define WIRE_API_H

#include "wire/bytes.h"

enum wire_api {
    WIRE_FETCH,
    WIRE_LIST_OFFSETS,
    WIRE_METADATA,
    WIRE_OFFSET_COMMIT,
    WIRE_FIND_COORDINATOR,
    WIRE_API_VERSIONS,
    WIRE_SASL_HANDSHAKE,
    WIRE_SASL_AUTHENTICATE,
    WIRE_CREATE_TOPICS,
    WIRE_JOIN_GROUP,
    WIRE_HEARTBEAT,
    WIRE_LEAVE_GROUP,
    WIRE_SYNC_GROUP,
    WIRE_DESCRIBE_GROUPS,
    WIRE_EPOCH_END,   // OffsetForLeaderEpoch
    WIRE_FETCH_BY_ID, // Fetch of the versions that name the topic by its id
    WIRE_APIS,
};

// Whether the version has compact lengths and tagged fields.
bool wire_api_is_flexible(enum wire_api api, int16_t version);

// What a broker takes, from its answer to ApiVersions 0.
struct wire_versions {
    int16_t of[WIRE_APIS]; // the version to send; -1: none that both sides know
};

enum status wire_versions_read(struct str body, struct wire_versions *ret,
                               struct err *err);

// Room for the request's size, then its header. To be ended by wire_request_end.
void wire_request_begin(struct buf *out, enum wire_api api, int16_t version,
                        int32_t correlation, struct str client_id);
// `begin`: where it began in `out`.
void wire_request_end(struct buf *out, size_t begin);
// Takes the response's header off the body.
enum status wire_response_begin(struct str *body, enum wire_api api, int16_t version,
                                int32_t *ret_correlation, struct err *err);

// A broker's error code in words: "NOT_LEADER_OR_FOLLOWER", "error 123".
struct wire_error {
    char text[40];
};
struct wire_error wire_error_name(int16_t code);

// Of the protocol guide's "Error Codes", those that something follows from here.
enum wire_error_code {
    WIRE_OK = 0,
    WIRE_OFFSET_OUT_OF_RANGE = 1,
    WIRE_UNKNOWN_TOPIC_OR_PARTITION = 3,
    WIRE_LEADER_NOT_AVAILABLE = 5,
    WIRE_NOT_LEADER_OR_FOLLOWER = 6,
    WIRE_REPLICA_NOT_AVAILABLE = 9,
    WIRE_COORDINATOR_LOADS = 14, // COORDINATOR_LOAD_IN_PROGRESS
    WIRE_COORDINATOR_NOT_AVAILABLE = 15,
    WIRE_NOT_COORDINATOR = 16,
    WIRE_INVALID_TOPIC = 17,
    WIRE_ILLEGAL_GENERATION = 22,
    WIRE_INCONSISTENT_GROUP_PROTOCOL = 23,
    WIRE_INVALID_GROUP_ID = 24,
    WIRE_UNKNOWN_MEMBER_ID = 25,
    WIRE_INVALID_SESSION_TIMEOUT = 26,
    WIRE_REBALANCE_IN_PROGRESS = 27,
    WIRE_TOPIC_AUTHORIZATION_FAILED = 29,
    WIRE_GROUP_AUTHORIZATION_FAILED = 30,
    WIRE_CLUSTER_AUTHORIZATION_FAILED = 31,
    WIRE_UNSUPPORTED_SASL_MECHANISM = 33,
    WIRE_ILLEGAL_SASL_STATE = 34,
    WIRE_TOPIC_ALREADY_EXISTS = 36,
    WIRE_INVALID_PARTITIONS = 37,
    WIRE_INVALID_REPLICATION_FACTOR = 38,
    WIRE_NOT_CONTROLLER = 41,
    WIRE_SASL_AUTHENTICATION_FAILED = 58,
    WIRE_GROUP_ID_NOT_FOUND = 69,
    WIRE_FENCED_LEADER_EPOCH = 74,
    WIRE_UNKNOWN_LEADER_EPOCH = 75,
    WIRE_UNSUPPORTED_COMPRESSION_TYPE = 76,
    WIRE_MEMBER_ID_REQUIRED = 79,
    WIRE_GROUP_MAX_SIZE_REACHED = 81,
    WIRE_FENCED_INSTANCE_ID = 82,
    WIRE_THROTTLING_QUOTA_EXCEEDED = 89,
    WIRE_UNKNOWN_TOPIC_ID = 100,
    WIRE_INCONSISTENT_TOPIC_ID = 103,
};

#endif
