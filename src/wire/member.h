// SPDX-License-Identifier: Apache-2.0
// A member of a consumer group by the classic protocol (Kafka protocol guide, "Group
// membership"; static members: KIP-345, ids given first: KIP-394, KIP-814): it finds the
// coordinator, joins, shares out when it leads, keeps alive by heartbeats, gives back and
// leaves.
//
// How it works: one call at a time goes to the coordinator, over a connection of its own,
// since a JoinGroup waits there for the others. The owner hears of an assignment, of a
// wish that it gives all back (REVOKE: heartbeats go on until it has) and of a loss; it
// joins again when the owner has answered. The leader sees that the topic has more
// partitions than were shared out, and joins again: that makes the group share out anew.
//
// An owner that does not look for max_poll_ms is taken for hung: the member leaves, and
// comes back with the owner. A member from which the coordinator had nothing for
// session_ms takes itself for lost. A static member has a name, its instance: a process
// that begins with it takes the place and the partitions of one that died; leaving, which
// by the protocol it may do as well, gives them away at once.
//
// Errors, each told once: ST_RETRY (told, and tried again), the final ones
// (ST_FAIL: the group may not be joined so). Threads: one owner; group.h has a lock.
#ifndef WIRE_MEMBER_H
#define WIRE_MEMBER_H

#include "core/stream.h"
#include "wire/cluster.h"
#include "wire/sharing.h"

struct wire_member_config {
    const char *group;
    const char *instance; // of a static member; NULL: a dynamic one
    int session_ms;       // without a heartbeat the coordinator takes it for gone
    int max_poll_ms;      // the owner's silence; for so long the others wait for us
    int32_t wanted;       // members that a first assignment is kept back for; 0: none
};

enum {
    WIRE_COUNT_TAG = 1 // of a call to Metadata that is the member's, not the cluster's
};

enum wire_member_state {
    WIRE_OUT,      // to join, once the owner has given back
    WIRE_JOINING,  // JoinGroup is under way
    WIRE_COUNTING, // it leads: the topics' partitions are asked
    WIRE_TO_SYNC,  // the answer is known
    WIRE_SYNCING,  // SyncGroup is under way
    WIRE_IN,       // it has an assignment
};

struct wire_member {
    struct wire_cluster *cluster; // borrowed: brokers, and the topic's partitions
    struct wire_member_config config;
    char *group, *instance;
    enum wire_member_state state;
    struct wire_connection coordinator; // host == NULL: it is not known
    struct wire_broker *asked;          // for the coordinator; NULL: nobody
    bool is_calling;                    // the coordinator
    int64_t sent_ms;                    // when
    char *id;                           // "": none yet
    int32_t generation;
    bool is_leader, has_joined;
    struct arena arena; // of what the last join said
    struct wire_joined joined;
    struct wire_sharing sharing;
    size_t n_counted;               // topics
    struct wire_broker *counter;    // who is asked for the next; NULL: nobody
    int32_t counted_generation;     // for which one
    const struct wire_given *given; // NULL: it does not share out
    // The owner.
    struct arena given_arena;
    struct wire_assignment assignment;
    enum stream_event_kind due; // to be told; IDLE: nothing
    bool has_owner;             // it has been given something, and not given it back
    bool is_giving;             // it is to
    int64_t looked_ms;          // when it last looked
    int64_t gather_until_ms;    // 0: the first assignment was told, or is to come
    bool is_gathering;
    int64_t describe_at_ms;
    // Times and trouble.
    int64_t heard_ms; // a request of that time was answered by the coordinator
    int64_t beat_at_ms, again_at_ms;
    int n_refused;    // errors in a row
    int n_unreadable; // assignments in a row
    bool was_empty;   // the last assignment, without even a word that it is
    struct err problem;
    bool is_problem_due, is_final, is_leaving, is_left, is_hung;
    bool is_fenced; // another one has its name
};

void wire_member_init(struct wire_member *member, struct wire_cluster *cluster,
                      const struct wire_member_config *config, int64_t now_ms);
void wire_member_release(struct wire_member *member);

// Does what can be done without waiting.
void wire_member_work(struct wire_member *member, int64_t now_ms);
// Answers that came by the cluster's connections.
void wire_member_take_coordinator(struct wire_member *member, struct str body,
                                  int64_t now_ms);
void wire_member_take_count(struct wire_member *member, struct str body, int16_t version,
                            int64_t now_ms);
// When something is to be done that no descriptor tells, at the latest.
int64_t wire_member_due_ms(const struct wire_member *member, int64_t now_ms);

// The owner looks: what it is to hear, or IDLE; partitions until the next look.
enum status wire_member_look(struct wire_member *member, int64_t now_ms,
                             enum stream_event_kind *ret, struct err *err);
// It has given back what it was asked for.
void wire_member_gave(struct wire_member *member, int64_t now_ms);
// Leaves the group: is_left once that is done or there is nothing to leave.
void wire_member_leave(struct wire_member *member, int64_t now_ms);
// A broker refuses the cluster's connections: it can never join.
void wire_member_refused(struct wire_member *member, const struct err *err);
bool wire_member_is_in(const struct wire_member *member);
struct wire_identity wire_member_identity(const struct wire_member *member);

#endif
