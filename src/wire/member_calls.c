// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "wire/admin.h"
#include "wire/member_parts.h"
#include "wire/offsets.h"

enum {
    BEATS = 3, // of a session, at least
    GATHER_MS = 10000,
    DESCRIBE_MS = 200, // between two looks at the group
    UNREADABLE = 5,    // assignments in a row, before the member gives up
};

// ---- the coordinator

static void find_coordinator(struct wire_member *member, int64_t now_ms)
{
    size_t begin;
    if (member->asked != NULL || now_ms < member->again_at_ms)
        return;
    struct wire_broker *broker = wire_cluster_any(member->cluster);
    if (broker == NULL) {
        wire_cluster_doubt(member->cluster, now_ms);
        return;
    }
    if (wire_connection_version(&broker->connection, WIRE_FIND_COORDINATOR) < 0) {
        wire_member_fail(member, WIRE_COORDINATOR_NOT_AVAILABLE);
        return;
    }
    struct buf *out =
        wire_call_begin(&broker->connection, WIRE_FIND_COORDINATOR, 0, &begin);
    wire_coordinator_ask(out, str_of(member->group));
    wire_call_end(&broker->connection, begin, 0, now_ms);
    member->asked = broker;
}

void wire_member_take_coordinator(struct wire_member *member, struct str body,
                                  int64_t now_ms)
{
    struct wire_coordinator found;
    struct err err;
    member->asked = NULL;
    if (wire_coordinator_read(body, &found, &err) != ST_OK) {
        wire_member_try_again(member, err.text, now_ms);
    } else if (wire_member_is_final_code(found.code)) {
        wire_member_fail(member, found.code);
    } else if (found.code != WIRE_OK ||
               !wire_cluster_is_broker(found.id, found.host, found.port)) {
        wire_member_try_again(member, wire_error_name(found.code).text, now_ms);
    } else {
        wire_member_drop_coordinator(member);
        wire_connection_init(&member->coordinator, &member->cluster->client, found.host,
                             found.port);
    }
}

static struct buf *begin_call(struct wire_member *member, enum wire_api api,
                              size_t *begin, int16_t *version, int64_t now_ms)
{
    struct wire_connection *c = &member->coordinator;
    *version = wire_connection_version(c, api);
    member->is_calling = true;
    member->sent_ms = now_ms;
    return wire_call_begin(c, api, 0, begin);
}

static bool knows_all(const struct wire_connection *c)
{
    static const enum wire_api apis[] = {WIRE_JOIN_GROUP, WIRE_SYNC_GROUP, WIRE_HEARTBEAT,
                                         WIRE_LEAVE_GROUP};
    for (size_t i = 0; i < ARRAY_LEN(apis); i++)
        if (wire_connection_version(c, apis[i]) < 0)
            return false;
    return true;
}

bool wire_member_reach(struct wire_member *member, int64_t now_ms)
{
    struct wire_connection *c = &member->coordinator;
    if (c->host == NULL) {
        find_coordinator(member, now_ms);
        return false;
    }
    wire_connection_open(c, now_ms);
    if (member->is_calling || !wire_connection_can_call(c) ||
        now_ms < member->again_at_ms)
        return false;
    if (knows_all(c))
        return true;
    (void)err_set(&member->problem, ST_FAIL,
                  "its coordinator has no version of JoinGroup, SyncGroup, Heartbeat or "
                  "LeaveGroup that is known here; see client = 'librdkafka'");
    wire_member_name_problem(member, ST_FAIL);
    return false;
}

// What is in common to all that it may answer; true: there is more to be taken.
static bool take_code(struct wire_member *member, int16_t code, int64_t now_ms)
{
    if (code == WIRE_OK || code == WIRE_REBALANCE_IN_PROGRESS) {
        member->heard_ms = member->sent_ms;
        return true;
    }
    if (wire_member_is_final_code(code)) {
        wire_member_fail(member, code);
        return false;
    }
    if (code == WIRE_NOT_COORDINATOR || code == WIRE_COORDINATOR_NOT_AVAILABLE)
        wire_member_drop_coordinator(member);
    if (code == WIRE_UNKNOWN_MEMBER_ID)
        wire_member_set_id(member, STR_LITERAL(""));
    if (code == WIRE_UNKNOWN_MEMBER_ID || code == WIRE_ILLEGAL_GENERATION)
        wire_member_lose(member);
    wire_member_try_again(member, wire_error_name(code).text, now_ms);
    return false;
}

// ---- join

void wire_member_send_join(struct wire_member *member, int64_t now_ms)
{
    AUTO(buf_release) struct buf subscription = {0};
    size_t begin;
    int16_t version;
    wire_subscription_put(&subscription, str_of(member->cluster->topic));
    struct buf *out = begin_call(member, WIRE_JOIN_GROUP, &begin, &version, now_ms);
    const struct wire_join join = {
        .identity = wire_member_identity(member),
        .session_ms = member->config.session_ms,
        .rebalance_ms = member->config.max_poll_ms,
        .protocol = WIRE_RANGE,
        .subscription = buf_as_str(&subscription),
    };
    wire_join_ask(out, version, &join);
    wire_call_end(&member->coordinator, begin, member->config.max_poll_ms, now_ms);
    member->state = WIRE_JOINING;
    member->generation = -1;
    member->has_joined = true;
}

// A static leader that came back is not told by brokers before 3.2 that it leads; for one
// that does not, to join once more changes nothing.
static bool is_leader(const struct wire_member *member, const struct wire_joined *joined,
                      int16_t version)
{
    const int16_t tells_all = 9;
    bool came_back = member->id[0] == '\0' && member->instance != NULL;
    return str_eq(joined->leader, joined->member) || (came_back && version < tells_all);
}

static void begin_sharing(struct wire_member *member)
{
    const struct wire_joined *joined = &member->joined;
    member->given = NULL;
    member->n_counted = 0;
    member->state = WIRE_TO_SYNC;
    if (!str_eq(joined->leader, joined->member) || joined->is_skipped)
        return;
    struct err *err = &member->problem;
    if (wire_sharing_begin(joined, &member->arena, &member->sharing, err) != ST_OK)
        wire_member_name_problem(member, ST_FAIL);
    else
        member->state = WIRE_COUNTING;
}

static void take_join(struct wire_member *member, const struct wire_call *call,
                      struct str body, int64_t now_ms)
{
    struct wire_joined *joined = &member->joined;
    struct err err;
    arena_clear(&member->arena);
    member->state = WIRE_OUT;
    if (wire_join_read(arena_str(&member->arena, body), call->version, &member->arena,
                       joined, &err) != ST_OK) {
        wire_member_try_again(member, err.text, now_ms);
        return;
    }
    if (joined->code == WIRE_MEMBER_ID_REQUIRED) {
        wire_member_set_id(member, joined->member);
        return;
    }
    if (!take_code(member, joined->code, now_ms))
        return;
    if (joined->code != WIRE_OK) {
        wire_member_try_again(member, wire_error_name(joined->code).text, now_ms);
        return;
    }
    member->heard_ms = now_ms; // it waited for the others: the session begins now
    member->beat_at_ms = now_ms + WIRE_BEAT_MS;
    member->is_leader = is_leader(member, joined, call->version);
    member->generation = joined->generation;
    wire_member_set_id(member, joined->member);
    begin_sharing(member);
}

// ---- counting the partitions of what the members want

static void send_count(struct wire_member *member, int64_t now_ms)
{
    size_t begin;
    struct wire_broker *broker = wire_cluster_any(member->cluster);
    if (broker == NULL)
        wire_cluster_doubt(member->cluster, now_ms);
    if (member->counter != NULL || broker == NULL)
        return;
    struct buf *out =
        wire_call_begin(&broker->connection, WIRE_METADATA, WIRE_COUNT_TAG, &begin);
    wire_metadata_ask(out, wire_connection_version(&broker->connection, WIRE_METADATA),
                      member->sharing.topics[member->n_counted].name);
    wire_call_end(&broker->connection, begin, 0, now_ms);
    member->counter = broker;
    member->counted_generation = member->generation;
}

void wire_member_take_count(struct wire_member *member, struct str body, int16_t version,
                            int64_t now_ms)
{
    AUTO(arena_release) struct arena arena = {0};
    struct wire_metadata metadata;
    struct err err;
    bool is_wanted = member->counter != NULL && member->state == WIRE_COUNTING &&
                     member->counted_generation == member->generation &&
                     member->n_counted < member->sharing.n_topics;
    member->counter = NULL;
    if (!is_wanted)
        return;
    struct wire_shared_topic *topic = &member->sharing.topics[member->n_counted];
    if (wire_metadata_read(body, version, topic->name, &arena, &metadata, &err) !=
        ST_OK) {
        wire_member_try_again(member, err.text, now_ms);
        return;
    }
    topic->n_partitions = (int32_t)metadata.n_partitions;
    member->n_counted++;
}

static int32_t n_known(const struct wire_member *member)
{
    for (size_t i = 0; i < member->sharing.n_topics; i++)
        if (str_is(member->sharing.topics[i].name, member->cluster->topic))
            return member->sharing.topics[i].n_partitions;
    return 0;
}

void wire_member_count(struct wire_member *member, int64_t now_ms)
{
    if (member->n_counted < member->sharing.n_topics) {
        send_count(member, now_ms);
        return;
    }
    member->given = wire_share(&member->sharing, n_known(member), &member->arena);
    member->state = WIRE_TO_SYNC;
}

// ---- sync

void wire_member_send_sync(struct wire_member *member, int64_t now_ms)
{
    size_t begin;
    int16_t version;
    const struct wire_identity identity = wire_member_identity(member);
    struct buf *out = begin_call(member, WIRE_SYNC_GROUP, &begin, &version, now_ms);
    wire_sync_ask(out, version, &identity, WIRE_RANGE, member->given,
                  member->given ? member->sharing.n_members : 0);
    wire_call_end(&member->coordinator, begin, member->config.max_poll_ms, now_ms);
    member->state = WIRE_SYNCING;
}

static void begin_gathering(struct wire_member *member, int64_t now_ms)
{
    if (member->config.wanted == 0)
        return;
    if (member->gather_until_ms == 0)
        member->gather_until_ms = now_ms + GATHER_MS;
    member->is_gathering = true;
    member->describe_at_ms = now_ms;
}

// Another leader may write another one; this one will not.
static void refuse_assignment(struct wire_member *member, const char *why, int64_t now_ms)
{
    if (++member->n_unreadable < UNREADABLE) {
        wire_member_try_again(member, why, now_ms);
        return;
    }
    (void)err_set(&member->problem, ST_FAIL,
                  "%s; give the job a group of its own by the option group", why);
    wire_member_name_problem(member, ST_FAIL);
}

// The group's leader has not thought of this member; or this is the leader, and was not
// told: the next join tells.
static bool is_forgotten(struct wire_member *member, struct str bytes, int64_t now_ms)
{
    bool was_empty = member->was_empty;
    member->was_empty = bytes.n == 0;
    if (bytes.n > 0 || was_empty)
        return false;
    wire_member_try_again(member, "its leader has given no share", now_ms);
    return true;
}

static void take_assignment(struct wire_member *member, struct str bytes, int64_t now_ms)
{
    struct err err;
    if (is_forgotten(member, bytes, now_ms))
        return;
    arena_clear(&member->given_arena);
    if (wire_assignment_read(bytes, str_of(member->cluster->topic), &member->given_arena,
                             &member->assignment, &err) != ST_OK) {
        refuse_assignment(member, err.text, now_ms);
        return;
    }
    member->n_unreadable = 0;
    wire_member_went_well(member);
    if (member->assignment.n_known < 0) // of another client, which tells it not
        member->assignment.n_known = (int32_t)member->cluster->n_leaders;
    member->state = WIRE_IN;
    member->due = STREAM_ASSIGN;
    member->heard_ms = now_ms; // as in take_join
    member->beat_at_ms = now_ms;
    begin_gathering(member, now_ms);
}

static void take_sync(struct wire_member *member, const struct wire_call *call,
                      struct str body, int64_t now_ms)
{
    struct str assignment;
    struct err err;
    int16_t code;
    member->state = WIRE_OUT;
    if (wire_sync_read(body, call->version, &code, &assignment, &err) != ST_OK)
        wire_member_try_again(member, err.text, now_ms);
    else if (take_code(member, code, now_ms) && code == WIRE_OK)
        take_assignment(member, assignment, now_ms);
}

// ---- keeping alive

static int64_t beat_ms(const struct wire_member *member)
{
    int64_t part = member->config.session_ms / BEATS;
    return part < WIRE_BEAT_MS ? part : WIRE_BEAT_MS;
}

void wire_member_send_beat(struct wire_member *member, int64_t now_ms)
{
    size_t begin;
    int16_t version;
    const struct wire_identity identity = wire_member_identity(member);
    struct buf *out = begin_call(member, WIRE_HEARTBEAT, &begin, &version, now_ms);
    wire_heartbeat_ask(out, version, &identity);
    wire_call_end(&member->coordinator, begin, 0, now_ms);
    member->beat_at_ms = now_ms + beat_ms(member);
}

static void beat_was_heard(struct wire_member *member, int16_t code)
{
    if (wire_member_is_in(member))
        wire_member_went_well(member);
    if (code == WIRE_REBALANCE_IN_PROGRESS)
        wire_member_begin_rebalance(member);
}

static void take_beat(struct wire_member *member, const struct wire_call *call,
                      struct str body, int64_t now_ms)
{
    struct err err;
    int16_t code;
    if (wire_heartbeat_read(body, call->version, &code, &err) != ST_OK)
        wire_member_try_again(member, err.text, now_ms);
    else if (take_code(member, code, now_ms))
        beat_was_heard(member, code);
}

// ---- those that begin together

void wire_member_end_gathering(struct wire_member *member)
{
    member->is_gathering = false;
    member->config.wanted = 0;
}

void wire_member_send_describe(struct wire_member *member, int64_t now_ms)
{
    size_t begin;
    int16_t version;
    if (wire_connection_version(&member->coordinator, WIRE_DESCRIBE_GROUPS) < 0) {
        wire_member_end_gathering(member);
        return;
    }
    struct buf *out = begin_call(member, WIRE_DESCRIBE_GROUPS, &begin, &version, now_ms);
    wire_group_ask(out, version, str_of(member->group));
    wire_call_end(&member->coordinator, begin, 0, now_ms);
    member->describe_at_ms = now_ms + DESCRIBE_MS;
}

// An assignment that is there while the group is stable is of all its members. Until it
// is stable another one joins, which a heartbeat is told: at once, not at its next time.
static void take_describe(struct wire_member *member, const struct wire_call *call,
                          struct str body, int64_t now_ms)
{
    struct wire_group_seen seen;
    if (!member->is_gathering)
        return;
    bool is_seen = wire_group_read(body, call->version, &seen, NULL, NULL) == ST_OK &&
                   seen.code == WIRE_OK;
    bool is_stable = is_seen && str_is(seen.state, "Stable");
    if (!is_seen || (is_stable && seen.members >= (size_t)member->config.wanted))
        wire_member_end_gathering(member);
    else if (!is_stable)
        member->beat_at_ms = now_ms;
}

// ---- leaving

void wire_member_send_leave(struct wire_member *member, int64_t now_ms)
{
    size_t begin;
    int16_t version;
    const struct wire_identity identity = wire_member_identity(member);
    struct buf *out = begin_call(member, WIRE_LEAVE_GROUP, &begin, &version, now_ms);
    wire_leave_ask(out, version, &identity);
    wire_call_end(&member->coordinator, begin, 0, now_ms);
}

// A coordinator that is none has not heard of it. Whatever else is said: a member that it
// does not know has left.
static void take_leave(struct wire_member *member, struct str body, int64_t now_ms)
{
    struct wire_in in = wire_in_of(body);
    wire_in_i32(&in); // throttle
    int16_t code = wire_in_i16(&in);
    bool has_moved =
        code == WIRE_NOT_COORDINATOR || code == WIRE_COORDINATOR_NOT_AVAILABLE;
    if (has_moved)
        wire_member_drop_coordinator(member);
    if (has_moved || code == WIRE_COORDINATOR_LOADS) {
        wire_member_try_again(member, wire_error_name(code).text, now_ms);
        return;
    }
    member->state = WIRE_OUT;
    member->generation = -1;
    member->has_joined = false;
    wire_member_set_id(member, STR_LITERAL(""));
    member->is_left = true;
}

// ---- answers

static void take(struct wire_member *member, const struct wire_call *call,
                 struct str body, int64_t now_ms)
{
    switch (call->api) {
    case WIRE_JOIN_GROUP:
        take_join(member, call, body, now_ms);
        break;
    case WIRE_SYNC_GROUP:
        take_sync(member, call, body, now_ms);
        break;
    case WIRE_HEARTBEAT:
        take_beat(member, call, body, now_ms);
        break;
    case WIRE_DESCRIBE_GROUPS:
        take_describe(member, call, body, now_ms);
        break;
    case WIRE_LEAVE_GROUP:
        take_leave(member, body, now_ms);
        break;
    default:
        break;
    }
}

// The answer is taken off its connection first: what it says may end that.
void wire_member_take_answers(struct wire_member *member, int64_t now_ms)
{
    struct wire_connection *c = &member->coordinator;
    struct buf memory = {0};
    struct wire_call call;
    struct str body;
    if (c->host == NULL)
        return;
    wire_connection_work(c, now_ms, member->cluster->client.most_bytes);
    if (!wire_answer(c, &call, &body, now_ms))
        return;
    wire_answer_end(c, &memory, now_ms);
    member->is_calling = false;
    take(member, &call, body, now_ms);
    buf_release(&memory);
}
