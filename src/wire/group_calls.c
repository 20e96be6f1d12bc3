// SPDX-License-Identifier: Apache-2.0
#include "wire/group_calls.h"

enum {
    JOIN_WITH_INSTANCE = 5,
    JOIN_WITH_TYPE = 7,
    JOIN_WITH_REASON = 8,
    JOIN_WITH_SKIP = 9,
    WITH_INSTANCE = 3, // Heartbeat, SyncGroup, LeaveGroup
    SYNC_WITH_TYPE = 5,
    LEAVE_WITH_REASON = 5,
    // Least bytes of each, in the versions where that is fewest.
    JOINED_BYTES = 1 + 1 + 1,
};

static const struct str consumer = {"consumer", 8}; // the type of protocol

static bool is_flexible(enum wire_api api, int16_t version)
{
    return wire_api_is_flexible(api, version);
}

// ---- JoinGroup

void wire_join_ask(struct buf *out, int16_t version, const struct wire_join *join)
{
    bool flexible = is_flexible(WIRE_JOIN_GROUP, version);
    wire_out_string(out, flexible, join->identity.group);
    wire_out_i32(out, join->session_ms);
    wire_out_i32(out, join->rebalance_ms);
    wire_out_string(out, flexible, join->identity.member);
    if (version >= JOIN_WITH_INSTANCE)
        wire_out_string(out, flexible, join->identity.instance);
    wire_out_string(out, flexible, consumer);
    wire_out_array(out, flexible, 1);
    wire_out_string(out, flexible, join->protocol);
    wire_out_bytes(out, flexible, join->subscription);
    wire_out_no_tags(out, flexible);
    if (version >= JOIN_WITH_REASON)
        wire_out_string(out, flexible, (struct str){0});
    wire_out_no_tags(out, flexible);
}

static struct wire_joined_member read_member(struct wire_in *in, int16_t version)
{
    bool flexible = is_flexible(WIRE_JOIN_GROUP, version);
    struct wire_joined_member member = {.id = wire_in_string(in, flexible)};
    if (version >= JOIN_WITH_INSTANCE)
        member.instance = wire_in_string(in, flexible);
    member.subscription = wire_in_bytes(in, flexible);
    wire_in_skip_tags(in, flexible);
    return member;
}

enum status wire_join_read(struct str body, int16_t version, struct arena *arena,
                           struct wire_joined *ret, struct err *err)
{
    bool flexible = is_flexible(WIRE_JOIN_GROUP, version);
    struct wire_in in = wire_in_of(body);
    wire_in_i32(&in); // throttle
    *ret = (struct wire_joined){.code = wire_in_i16(&in)};
    ret->generation = wire_in_i32(&in);
    if (version >= JOIN_WITH_TYPE)
        wire_in_string(&in, flexible);
    ret->protocol = wire_in_string(&in, flexible);
    ret->leader = wire_in_string(&in, flexible);
    if (version >= JOIN_WITH_SKIP)
        ret->is_skipped = wire_in_i8(&in) != 0;
    ret->member = wire_in_string(&in, flexible);
    ret->n = wire_in_array(&in, flexible, JOINED_BYTES);
    ret->members = arena_array(arena, ret->n, sizeof(*ret->members));
    for (size_t i = 0; i < ret->n; i++)
        ret->members[i] = read_member(&in, version);
    wire_in_skip_tags(&in, flexible);
    return wire_in_check(&in, "JoinGroup", err);
}

// ---- SyncGroup

void wire_sync_ask(struct buf *out, int16_t version, const struct wire_identity *identity,
                   struct str protocol, const struct wire_given *given, size_t n)
{
    bool flexible = is_flexible(WIRE_SYNC_GROUP, version);
    wire_out_string(out, flexible, identity->group);
    wire_out_i32(out, identity->generation);
    wire_out_string(out, flexible, identity->member);
    if (version >= WITH_INSTANCE)
        wire_out_string(out, flexible, identity->instance);
    if (version >= SYNC_WITH_TYPE) {
        wire_out_string(out, flexible, consumer);
        wire_out_string(out, flexible, protocol);
    }
    wire_out_array(out, flexible, n);
    for (size_t i = 0; i < n; i++) {
        wire_out_string(out, flexible, given[i].member);
        wire_out_bytes(out, flexible, given[i].assignment);
        wire_out_no_tags(out, flexible);
    }
    wire_out_no_tags(out, flexible);
}

enum status wire_sync_read(struct str body, int16_t version, int16_t *ret_code,
                           struct str *ret_assignment, struct err *err)
{
    bool flexible = is_flexible(WIRE_SYNC_GROUP, version);
    struct wire_in in = wire_in_of(body);
    wire_in_i32(&in); // throttle
    *ret_code = wire_in_i16(&in);
    if (version >= SYNC_WITH_TYPE) {
        wire_in_string(&in, flexible);
        wire_in_string(&in, flexible);
    }
    *ret_assignment = wire_in_bytes(&in, flexible);
    wire_in_skip_tags(&in, flexible);
    return wire_in_check(&in, "SyncGroup", err);
}

// ---- Heartbeat and LeaveGroup

void wire_heartbeat_ask(struct buf *out, int16_t version,
                        const struct wire_identity *identity)
{
    bool flexible = is_flexible(WIRE_HEARTBEAT, version);
    wire_out_string(out, flexible, identity->group);
    wire_out_i32(out, identity->generation);
    wire_out_string(out, flexible, identity->member);
    if (version >= WITH_INSTANCE)
        wire_out_string(out, flexible, identity->instance);
    wire_out_no_tags(out, flexible);
}

enum status wire_heartbeat_read(struct str body, int16_t version, int16_t *ret_code,
                                struct err *err)
{
    struct wire_in in = wire_in_of(body);
    wire_in_i32(&in); // throttle
    *ret_code = wire_in_i16(&in);
    wire_in_skip_tags(&in, is_flexible(WIRE_HEARTBEAT, version));
    return wire_in_check(&in, "Heartbeat", err);
}

void wire_leave_ask(struct buf *out, int16_t version,
                    const struct wire_identity *identity)
{
    bool flexible = is_flexible(WIRE_LEAVE_GROUP, version);
    wire_out_string(out, flexible, identity->group);
    if (version >= WITH_INSTANCE)
        wire_out_array(out, flexible, 1);
    wire_out_string(out, flexible, identity->member);
    if (version >= WITH_INSTANCE) {
        wire_out_string(out, flexible, identity->instance);
        if (version >= LEAVE_WITH_REASON)
            wire_out_string(out, flexible, (struct str){0});
        wire_out_no_tags(out, flexible);
    }
    wire_out_no_tags(out, flexible);
}
