// SPDX-License-Identifier: Apache-2.0
#include "wire/offsets.h"

enum {
    CONSUMER = -1, // in the place of a replica
    READ_COMMITTED = 1,
    WITH_ISOLATION = 2, // and throttle time
    WITH_EPOCH = 4,
    TOPIC_BYTES = 2 + 4,
    PARTITION_BYTES = 4 + 2 + 8 + 8,
    GROUP = 0, // a coordinator of groups
    COMMITTED_BYTES = 4 + 2,
    EPOCH_WITH_REPLICA = 3,
    EPOCH_END_BYTES = 2 + 4 + 4 + 8,
};

void wire_offset_ask(struct buf *out, int16_t version, struct str topic,
                     int32_t partition, int32_t leader_epoch, int64_t time_ms)
{
    wire_out_i32(out, CONSUMER);
    if (version >= WITH_ISOLATION)
        wire_out_i8(out, READ_COMMITTED);
    wire_out_array(out, false, 1);
    wire_out_string(out, false, topic);
    wire_out_array(out, false, 1);
    wire_out_i32(out, partition);
    if (version >= WITH_EPOCH)
        wire_out_i32(out, leader_epoch);
    wire_out_i64(out, time_ms);
}

void wire_low_ask(struct buf *out, int16_t version, struct str topic, int32_t partition,
                  int32_t leader_epoch)
{
    wire_offset_ask(out, version, topic, partition, leader_epoch, WIRE_EARLIEST);
}

enum status wire_low_read(struct str body, int16_t version, int32_t partition,
                          int16_t *ret_code, int64_t *ret, struct err *err)
{
    struct wire_in in = wire_in_of(body);
    *ret_code = WIRE_UNKNOWN_TOPIC_OR_PARTITION;
    *ret = 0;
    if (version >= WITH_ISOLATION)
        wire_in_i32(&in); // throttle
    for (size_t n = wire_in_array(&in, false, TOPIC_BYTES); n > 0; n--) {
        wire_in_string(&in, false);
        for (size_t m = wire_in_array(&in, false, PARTITION_BYTES); m > 0; m--) {
            bool is_it = wire_in_i32(&in) == partition;
            int16_t code = wire_in_i16(&in);
            wire_in_i64(&in); // time
            int64_t offset = wire_in_i64(&in);
            if (version >= WITH_EPOCH)
                wire_in_i32(&in);
            *ret_code = is_it ? code : *ret_code;
            *ret = is_it ? offset : *ret;
        }
    }
    return wire_in_check(&in, "ListOffsets", err);
}

void wire_epoch_end_ask(struct buf *out, int16_t version, struct str topic,
                        int32_t partition, int32_t leader_epoch, int32_t epoch)
{
    if (version >= EPOCH_WITH_REPLICA)
        wire_out_i32(out, CONSUMER);
    wire_out_array(out, false, 1);
    wire_out_string(out, false, topic);
    wire_out_array(out, false, 1);
    wire_out_i32(out, partition);
    wire_out_i32(out, leader_epoch);
    wire_out_i32(out, epoch);
}

enum status wire_epoch_end_read(struct str body, int32_t partition, int16_t *ret_code,
                                int32_t *ret_epoch, int64_t *ret, struct err *err)
{
    struct wire_in in = wire_in_of(body);
    *ret_code = WIRE_UNKNOWN_TOPIC_OR_PARTITION;
    *ret_epoch = -1;
    *ret = -1;
    wire_in_i32(&in); // throttle
    for (size_t n = wire_in_array(&in, false, TOPIC_BYTES); n > 0; n--) {
        wire_in_string(&in, false);
        for (size_t m = wire_in_array(&in, false, EPOCH_END_BYTES); m > 0; m--) {
            int16_t code = wire_in_i16(&in);
            bool is_it = wire_in_i32(&in) == partition;
            int32_t epoch = wire_in_i32(&in);
            int64_t end = wire_in_i64(&in);
            *ret_code = is_it ? code : *ret_code;
            *ret_epoch = is_it ? epoch : *ret_epoch;
            *ret = is_it ? end : *ret;
        }
    }
    return wire_in_check(&in, "OffsetForLeaderEpoch", err);
}

void wire_coordinator_ask(struct buf *out, struct str group)
{
    wire_out_string(out, false, group);
    wire_out_i8(out, GROUP);
}

enum status wire_coordinator_read(struct str body, struct wire_coordinator *ret,
                                  struct err *err)
{
    struct wire_in in = wire_in_of(body);
    wire_in_i32(&in); // throttle
    ret->code = wire_in_i16(&in);
    wire_in_string(&in, false); // in words
    ret->id = wire_in_i32(&in);
    ret->host = wire_in_string(&in, false);
    ret->port = wire_in_i32(&in);
    return wire_in_check(&in, "FindCoordinator", err);
}

void wire_commit_ask(struct buf *out, const struct wire_identity *identity,
                     struct str topic, const struct stream_start *next, size_t n)
{
    wire_out_string(out, false, identity->group);
    wire_out_i32(out, identity->generation);
    wire_out_string(out, false, identity->member);
    wire_out_i64(out, -1); // kept as long as the broker likes
    wire_out_array(out, false, 1);
    wire_out_string(out, false, topic);
    wire_out_array(out, false, n);
    for (size_t i = 0; i < n; i++) {
        wire_out_i32(out, next[i].partition);
        wire_out_i64(out, next[i].offset);
        wire_out_string(out, false, STR_LITERAL(""));
    }
}

enum status wire_commit_read(struct str body, int16_t *ret_code, struct err *err)
{
    struct wire_in in = wire_in_of(body);
    *ret_code = WIRE_OK;
    for (size_t n = wire_in_array(&in, false, TOPIC_BYTES); n > 0; n--) {
        wire_in_string(&in, false);
        for (size_t m = wire_in_array(&in, false, COMMITTED_BYTES); m > 0; m--) {
            wire_in_i32(&in);
            int16_t code = wire_in_i16(&in);
            *ret_code = *ret_code == WIRE_OK ? code : *ret_code;
        }
    }
    return wire_in_check(&in, "OffsetCommit", err);
}
