// SPDX-License-Identifier: Apache-2.0
// The requests of a group's members and their answers as bytes: JoinGroup 2 to 9,
// SyncGroup 1 to 5, Heartbeat 1 to 4, LeaveGroup 1 to 5 (JoinGroupRequest.json and its
// like; static members: KIP-345, the id that is asked for first: KIP-394, the static
// leader's skip: KIP-814). Slices are borrowed from the body, arrays are the arena's.
// Versions that know no static members leave the instance out.
#ifndef WIRE_GROUP_CALLS_H
#define WIRE_GROUP_CALLS_H

#include "base/arena.h"
#include "wire/api.h"

// Of a member in one generation of its group.
struct wire_identity {
    struct str group;
    struct str member;   // empty: the coordinator is to give one
    struct str instance; // p == NULL: a dynamic member
    int32_t generation;  // -1: none
};

struct wire_join {
    struct wire_identity identity;
    int32_t session_ms, rebalance_ms;
    struct str protocol;     // the assignor's name
    struct str subscription; // sharing.h
};

void wire_join_ask(struct buf *out, int16_t version, const struct wire_join *join);

struct wire_joined_member {
    struct str id, instance; // instance.p == NULL: a dynamic one
    struct str subscription;
};

struct wire_joined {
    int16_t code;
    int32_t generation;
    struct str protocol, leader, member;
    bool is_skipped; // the leader is not to share out: the group's assignments hold
    struct wire_joined_member *members; // the leader's alone
    size_t n;
};

enum status wire_join_read(struct str body, int16_t version, struct arena *arena,
                           struct wire_joined *ret, struct err *err);

struct wire_given {
    struct str member;
    struct str assignment; // sharing.h
};

// The leader gives all of them; others none.
void wire_sync_ask(struct buf *out, int16_t version, const struct wire_identity *identity,
                   struct str protocol, const struct wire_given *given, size_t n);
enum status wire_sync_read(struct str body, int16_t version, int16_t *ret_code,
                           struct str *ret_assignment, struct err *err);

void wire_heartbeat_ask(struct buf *out, int16_t version,
                        const struct wire_identity *identity);
enum status wire_heartbeat_read(struct str body, int16_t version, int16_t *ret_code,
                                struct err *err);

// A static member leaves, too: its instance goes along.
void wire_leave_ask(struct buf *out, int16_t version,
                    const struct wire_identity *identity);

#endif
