// SPDX-License-Identifier: Apache-2.0
// How the members of a consumer group share the partitions out, in the way of every other
// client (ConsumerProtocolSubscription.json, ConsumerProtocolAssignment.json; the
// strategy "range"): what a member wants, what it is given, and who gets what.
//
// Range: for each topic the members that want it, in their order, get partitions that
// follow each other, the first ones one more. The order is that of Kafka's own client:
// static members by their instances, then the dynamic ones by their ids.
//
// Written is version 0 of both, which all clients know; of newer ones the known part is
// read. An assignment of ours carries, as its user data, the number of partitions of the
// topic that it was made for: a leader that comes back sees what was added meanwhile.
// Slices are borrowed, arrays are the arena's. Errors: ST_DATA. Threads: none of its own.
#ifndef WIRE_SHARING_H
#define WIRE_SHARING_H

#include "wire/group_calls.h"

#define WIRE_RANGE STR_LITERAL("range")

void wire_subscription_put(struct buf *out, struct str topic);

struct wire_subscription {
    struct str *topics;
    size_t n;
};

struct wire_shared_topic {
    struct str name;
    int32_t n_partitions; // 0: it is not there
};

struct wire_sharing {
    const struct wire_joined_member *members; // in the order of range
    struct wire_subscription *wanted;         // of each
    size_t n_members;
    struct wire_shared_topic *topics; // that any of them wants, each once
    size_t n_topics;
};

// The members' wishes; the numbers of partitions are the caller's to fill in.
enum status wire_sharing_begin(const struct wire_joined *joined, struct arena *arena,
                               struct wire_sharing *ret, struct err *err);
// What each member is given, in their order. n_known: of partitions of the topic of this
// program, for the user data.
const struct wire_given *wire_share(const struct wire_sharing *sharing, int32_t n_known,
                                    struct arena *arena);

struct wire_assignment {
    int32_t *partitions; // of the topic, rising
    size_t n;
    int32_t n_known; // partitions of the topic when they were shared out; -1: not told
};

// Of an empty one, which a member gets that is not in the leader's list, n is 0.
enum status wire_assignment_read(struct str bytes, struct str topic, struct arena *arena,
                                 struct wire_assignment *ret, struct err *err);

#endif
