// SPDX-License-Identifier: Apache-2.0
// A member of a consumer group (member.h) on a thread of its own, which keeps it alive
// while the stream's owner works: heartbeats go on whatever the owner does, unless it
// looks no more for max_poll_ms.
//
// The thread has its own connections, two at most to the cluster and one to the
// coordinator, and waits in poll(2) alone. All calls are the stream's; none waits but
// close, for the leave, seconds at most.
#ifndef WIRE_GROUP_H
#define WIRE_GROUP_H

#include "wire/member.h"

struct wire_group;

struct wire_group_config {
    const char *brokers, *topic;
    struct wire_client client; // its wake_fd: the stream's, written to when it is to look
    int64_t refresh_ms;        // between two looks for new partitions
    struct wire_member_config member;
};

// ST_FAIL: no file descriptor is left.
enum status wire_group_open(const struct wire_group_config *config,
                            struct wire_group **ret, struct err *err);
// What the owner is to hear, or IDLE; with ASSIGN the partitions, which the caller frees.
// Errors as in member.h.
enum status wire_group_look(struct wire_group *group, enum stream_event_kind *ret,
                            int32_t **ret_partitions, size_t *ret_n, struct err *err);
void wire_group_gave(struct wire_group *group);
// The member in its generation, for OffsetCommit; false: it is none now. The texts are
// the arena's.
bool wire_group_identity(struct wire_group *group, struct arena *arena,
                         struct wire_identity *ret);
void wire_group_close(struct wire_group *group); // NULL is fine

#endif
