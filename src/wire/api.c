// SPDX-License-Identifier: Apache-2.0
#include "wire/api.h"

#include <stdio.h>

// Fetch from 13 on names topics by their ids only, and brokers on their way to them give
// none: so it is two here. OffsetCommit 2 to 7 and FindCoordinator 1 to 2 need nothing
// that is newer. Static members: JoinGroup from 5 on, SyncGroup, Heartbeat and LeaveGroup
// from 3 on (KIP-345).
static const struct {
    int16_t key, least, most;
    int16_t flexible; // from this version on
} apis[WIRE_APIS] = {
    [WIRE_FETCH] = {1, 4, 12, 12},           [WIRE_LIST_OFFSETS] = {2, 1, 5, 6},
    [WIRE_METADATA] = {3, 1, 12, 9},         [WIRE_OFFSET_COMMIT] = {8, 2, 2, 8},
    [WIRE_FIND_COORDINATOR] = {10, 1, 2, 3}, [WIRE_API_VERSIONS] = {18, 0, 0, 3},
    [WIRE_SASL_HANDSHAKE] = {17, 1, 1, 99},  [WIRE_SASL_AUTHENTICATE] = {36, 0, 1, 2},
    [WIRE_CREATE_TOPICS] = {19, 2, 4, 5},    [WIRE_DESCRIBE_GROUPS] = {15, 0, 4, 5},
    [WIRE_JOIN_GROUP] = {11, 2, 9, 6},       [WIRE_HEARTBEAT] = {12, 1, 4, 4},
    [WIRE_LEAVE_GROUP] = {13, 1, 5, 4},      [WIRE_SYNC_GROUP] = {14, 1, 5, 4},
    [WIRE_EPOCH_END] = {23, 2, 3, 4},        [WIRE_FETCH_BY_ID] = {1, 13, 13, 12},
};

enum {
    API_VERSION_BYTES = 6,
    SIZE_BYTES = 4,
};

bool wire_api_is_flexible(enum wire_api api, int16_t version)
{
    return version >= apis[api].flexible;
}

static void choose(struct wire_versions *ret, int16_t key, int16_t least, int16_t most)
{
    for (int api = 0; api < WIRE_APIS; api++) {
        int16_t version = most < apis[api].most ? most : apis[api].most;
        if (apis[api].key == key && version >= least && version >= apis[api].least)
            ret->of[api] = version;
    }
}

enum status wire_versions_read(struct str body, struct wire_versions *ret,
                               struct err *err)
{
    struct wire_in in = wire_in_of(body);
    for (int api = 0; api < WIRE_APIS; api++)
        ret->of[api] = -1;
    int16_t code = wire_in_i16(&in);
    for (size_t n = wire_in_array(&in, false, API_VERSION_BYTES); n > 0; n--) {
        int16_t key = wire_in_i16(&in), least = wire_in_i16(&in);
        choose(ret, key, least, wire_in_i16(&in));
    }
    TRY(wire_in_check(&in, "ApiVersions", err));
    if (code != WIRE_OK)
        return err_set(err, ST_RETRY, "ApiVersions: %s", wire_error_name(code).text);
    return ST_OK;
}

void wire_request_begin(struct buf *out, enum wire_api api, int16_t version,
                        int32_t correlation, struct str client_id)
{
    wire_out_i32(out, 0); // the size, by wire_request_end
    wire_out_i16(out, apis[api].key);
    wire_out_i16(out, version);
    wire_out_i32(out, correlation);
    wire_out_string(out, false, client_id); // also in the flexible header
    wire_out_no_tags(out, wire_api_is_flexible(api, version));
}

void wire_request_end(struct buf *out, size_t begin)
{
    size_t n = out->n;
    out->n = begin;
    wire_out_i32(out, (int32_t)(n - begin - SIZE_BYTES));
    out->n = n;
}

enum status wire_response_begin(struct str *body, enum wire_api api, int16_t version,
                                int32_t *ret_correlation, struct err *err)
{
    struct wire_in in = wire_in_of(*body);
    *ret_correlation = wire_in_i32(&in);
    wire_in_skip_tags(&in,
                      wire_api_is_flexible(api, version) && api != WIRE_API_VERSIONS);
    const uint8_t *p = in.p;
    in.end = in.p;
    TRY(wire_in_check(&in, "the header of an answer", err));
    size_t n = (size_t)(p - (const uint8_t *)body->p);
    *body = (struct str){body->p + n, body->n - n};
    return ST_OK;
}

struct wire_error wire_error_name(int16_t code)
{
    static const struct {
        int16_t code;
        const char *name;
    } names[] = {
        {WIRE_OFFSET_OUT_OF_RANGE, "OFFSET_OUT_OF_RANGE"},
        {2, "CORRUPT_MESSAGE"},
        {WIRE_UNKNOWN_TOPIC_OR_PARTITION, "UNKNOWN_TOPIC_OR_PARTITION"},
        {WIRE_LEADER_NOT_AVAILABLE, "LEADER_NOT_AVAILABLE"},
        {WIRE_NOT_LEADER_OR_FOLLOWER, "NOT_LEADER_OR_FOLLOWER"},
        {7, "REQUEST_TIMED_OUT"},
        {WIRE_REPLICA_NOT_AVAILABLE, "REPLICA_NOT_AVAILABLE"},
        {WIRE_COORDINATOR_LOADS, "COORDINATOR_LOAD_IN_PROGRESS"},
        {WIRE_COORDINATOR_NOT_AVAILABLE, "COORDINATOR_NOT_AVAILABLE"},
        {WIRE_NOT_COORDINATOR, "NOT_COORDINATOR"},
        {WIRE_INVALID_TOPIC, "INVALID_TOPIC_EXCEPTION"},
        {WIRE_ILLEGAL_GENERATION, "ILLEGAL_GENERATION"},
        {WIRE_INCONSISTENT_GROUP_PROTOCOL, "INCONSISTENT_GROUP_PROTOCOL"},
        {WIRE_INVALID_GROUP_ID, "INVALID_GROUP_ID"},
        {WIRE_UNKNOWN_MEMBER_ID, "UNKNOWN_MEMBER_ID"},
        {WIRE_INVALID_SESSION_TIMEOUT, "INVALID_SESSION_TIMEOUT"},
        {WIRE_REBALANCE_IN_PROGRESS, "REBALANCE_IN_PROGRESS"},
        {WIRE_TOPIC_AUTHORIZATION_FAILED, "TOPIC_AUTHORIZATION_FAILED"},
        {WIRE_GROUP_AUTHORIZATION_FAILED, "GROUP_AUTHORIZATION_FAILED"},
        {WIRE_CLUSTER_AUTHORIZATION_FAILED, "CLUSTER_AUTHORIZATION_FAILED"},
        {WIRE_UNSUPPORTED_SASL_MECHANISM, "UNSUPPORTED_SASL_MECHANISM"},
        {WIRE_ILLEGAL_SASL_STATE, "ILLEGAL_SASL_STATE"},
        {35, "UNSUPPORTED_VERSION"},
        {WIRE_TOPIC_ALREADY_EXISTS, "TOPIC_ALREADY_EXISTS"},
        {WIRE_INVALID_PARTITIONS, "INVALID_PARTITIONS"},
        {WIRE_INVALID_REPLICATION_FACTOR, "INVALID_REPLICATION_FACTOR"},
        {WIRE_NOT_CONTROLLER, "NOT_CONTROLLER"},
        {56, "KAFKA_STORAGE_ERROR"},
        {WIRE_SASL_AUTHENTICATION_FAILED, "SASL_AUTHENTICATION_FAILED"},
        {WIRE_GROUP_ID_NOT_FOUND, "GROUP_ID_NOT_FOUND"},
        {WIRE_FENCED_LEADER_EPOCH, "FENCED_LEADER_EPOCH"},
        {WIRE_UNKNOWN_LEADER_EPOCH, "UNKNOWN_LEADER_EPOCH"},
        {WIRE_UNSUPPORTED_COMPRESSION_TYPE, "UNSUPPORTED_COMPRESSION_TYPE"},
        {78, "OFFSET_NOT_AVAILABLE"},
        {WIRE_MEMBER_ID_REQUIRED, "MEMBER_ID_REQUIRED"},
        {WIRE_GROUP_MAX_SIZE_REACHED, "GROUP_MAX_SIZE_REACHED"},
        {WIRE_FENCED_INSTANCE_ID, "FENCED_INSTANCE_ID"},
        {WIRE_THROTTLING_QUOTA_EXCEEDED, "THROTTLING_QUOTA_EXCEEDED"},
        {WIRE_UNKNOWN_TOPIC_ID, "UNKNOWN_TOPIC_ID"},
        {WIRE_INCONSISTENT_TOPIC_ID, "INCONSISTENT_TOPIC_ID"},
    };
    struct wire_error error;
    snprintf(error.text, sizeof(error.text), "error %d", code);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (names[i].code == code)
            snprintf(error.text, sizeof(error.text), "%s", names[i].name);
    return error;
}
