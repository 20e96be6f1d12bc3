// SPDX-License-Identifier: Apache-2.0
#include "wire/member.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "wire/offsets.h"

enum {
    BEAT_MS = 1000, // at most, between two heartbeats: so soon a rebalance is heard of
    BEATS = 3,      // of a session, at least
    FIRST_PAUSE_MS = 50,
    LAST_PAUSE_MS = 1000,
    REFUSED_TOLD = 5, // errors in a row, before they are told
    GATHER_MS = 10000,
    DESCRIBE_MS = 200, // between two looks at the group
};

void wire_member_init(struct wire_member *member, struct wire_cluster *cluster,
                      const struct wire_member_config *config, int64_t now_ms)
{
    *member = (struct wire_member){
        .cluster = cluster,
        .config = *config,
        .group = mem_strdup(config->group),
        .instance = config->instance ? mem_strdup(config->instance) : NULL,
        .id = mem_strdup(""),
        .generation = -1,
        .looked_ms = now_ms,
        .coordinator = {.fd = -1},
    };
}

void wire_member_release(struct wire_member *member)
{
    if (member->coordinator.host != NULL)
        wire_connection_release(&member->coordinator);
    arena_release(&member->arena);
    arena_release(&member->given_arena);
    free(member->group);
    free(member->instance);
    free(member->id);
    *member = (struct wire_member){0};
}

struct wire_identity wire_member_identity(const struct wire_member *member)
{
    return (struct wire_identity){
        .group = str_of(member->group),
        .member = str_of(member->id),
        .instance = str_of(member->instance),
        .generation = member->generation,
    };
}

bool wire_member_is_in(const struct wire_member *member)
{
    return member->state == WIRE_IN;
}

static void set_id(struct wire_member *member, struct str id)
{
    char *old = member->id;
    member->id = mem_strndup(id.p ? id.p : "", id.n);
    free(old);
}

// ---- trouble

static void name_problem(struct wire_member *member, enum status status)
{
    (void)err_context(&member->problem, status, "topic '%s', group '%s'",
                      member->cluster->topic, member->group);
    member->is_problem_due = true;
    member->is_final = status != ST_RETRY;
}

static int64_t pause_ms(int n_before)
{
    int64_t pause = FIRST_PAUSE_MS;
    for (int i = 0; i < n_before && pause < LAST_PAUSE_MS; i++)
        pause *= 2;
    return pause < LAST_PAUSE_MS ? pause : LAST_PAUSE_MS;
}

// The same again, after a while. It is told when that goes on, and there is nothing that
// the owner could read meanwhile.
static void try_again(struct wire_member *member, const char *why, int64_t now_ms)
{
    member->again_at_ms = now_ms + pause_ms(member->n_refused);
    if (++member->n_refused < REFUSED_TOLD || wire_member_is_in(member) ||
        member->problem.status == ST_RETRY)
        return;
    (void)err_set(&member->problem, ST_RETRY, "%s", why);
    name_problem(member, ST_RETRY);
}

static void went_well(struct wire_member *member)
{
    member->n_refused = 0;
    member->again_at_ms = 0;
    if (!member->is_problem_due)
        member->problem.status = ST_OK;
}

static void fail(struct wire_member *member, int16_t code)
{
    struct err *err = &member->problem;
    const struct wire_error error = wire_error_name(code);
    const char *name = error.text;
    switch (code) {
    case WIRE_FENCED_INSTANCE_ID:
        (void)err_set(err, ST_FAIL,
                      "another worker has joined as '%s' (%s); give each worker its own "
                      "--instance",
                      member->instance ? member->instance : "", name);
        break;
    case WIRE_GROUP_MAX_SIZE_REACHED:
        (void)err_set(err, ST_FAIL,
                      "it is full (%s); start fewer workers, or raise the brokers' "
                      "group.max.size",
                      name);
        break;
    case WIRE_INCONSISTENT_GROUP_PROTOCOL:
        (void)err_set(err, ST_FAIL,
                      "its members do not share out by the strategy 'range' (%s); give "
                      "the job a group of its own by the option group",
                      name);
        break;
    case WIRE_INVALID_SESSION_TIMEOUT:
        (void)err_set(err, ST_FAIL,
                      "%s; set the option session.timeout between the brokers' "
                      "group.min.session.timeout.ms and group.max.session.timeout.ms",
                      name);
        break;
    case WIRE_GROUP_AUTHORIZATION_FAILED:
        (void)err_set(err, ST_FAIL,
                      "it may not be joined (%s); this user needs the right READ on the "
                      "group",
                      name);
        break;
    default:
        (void)err_set(err, ST_FAIL, "it cannot be joined: %s", name);
        break;
    }
    name_problem(member, ST_FAIL);
}

static bool is_final_code(int16_t code)
{
    switch (code) {
    case WIRE_FENCED_INSTANCE_ID:
    case WIRE_GROUP_MAX_SIZE_REACHED:
    case WIRE_INCONSISTENT_GROUP_PROTOCOL:
    case WIRE_INVALID_SESSION_TIMEOUT:
    case WIRE_INVALID_GROUP_ID:
    case WIRE_GROUP_AUTHORIZATION_FAILED:
        return true;
    default:
        return false;
    }
}

// ---- what the owner hears

// What it was given is somebody else's by now, or will be at once.
static void lose(struct wire_member *member)
{
    member->state = WIRE_OUT;
    member->is_giving = false;
    member->is_gathering = false;
    member->generation = -1;
    member->due = member->has_owner ? STREAM_LOST : STREAM_IDLE;
}

// The group shares out anew: the owner gives back first, if it has something.
static void begin_rebalance(struct wire_member *member)
{
    member->is_gathering = false;
    if (!member->has_owner) {
        member->due = STREAM_IDLE;
        member->state = WIRE_OUT;
    } else if (!member->is_giving) {
        member->is_giving = true;
        member->due = STREAM_REVOKE;
    }
}

void wire_member_gave(struct wire_member *member, UNUSED int64_t now_ms)
{
    member->has_owner = false;
    if (member->due == STREAM_REVOKE || member->due == STREAM_LOST)
        member->due = STREAM_IDLE;
    if (member->is_giving && member->state == WIRE_IN)
        member->state = WIRE_OUT;
    member->is_giving = false;
}

static void come_back(struct wire_member *member, int64_t now_ms)
{
    member->is_hung = false;
    if (!member->is_final) {
        (void)err_set(&member->problem, ST_RETRY,
                      "the worker was busy for %" PRId64 " s and has left the group",
                      (now_ms - member->looked_ms) / 1000);
        name_problem(member, ST_RETRY);
    }
}

enum status wire_member_look(struct wire_member *member, int64_t now_ms,
                             enum stream_event_kind *ret, struct err *err)
{
    if (member->is_hung)
        come_back(member, now_ms);
    member->looked_ms = now_ms;
    if (member->is_problem_due) {
        member->is_problem_due = member->is_final;
        return err_set(err, member->problem.status, "%s", member->problem.text);
    }
    *ret = member->is_gathering ? STREAM_IDLE : member->due;
    if (*ret == STREAM_IDLE)
        return ST_OK;
    member->has_owner = true;
    member->due = STREAM_IDLE;
    return ST_OK;
}

// ---- the coordinator

static void drop_coordinator(struct wire_member *member)
{
    if (member->coordinator.host != NULL)
        wire_connection_release(&member->coordinator);
    member->is_calling = false;
    if (member->state == WIRE_JOINING || member->state == WIRE_SYNCING)
        member->state = WIRE_OUT;
}

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
        fail(member, WIRE_COORDINATOR_NOT_AVAILABLE);
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
        try_again(member, err.text, now_ms);
    } else if (is_final_code(found.code)) {
        fail(member, found.code);
    } else if (found.code != WIRE_OK ||
               !wire_cluster_is_broker(found.id, found.host, found.port)) {
        try_again(member, wire_error_name(found.code).text, now_ms);
    } else {
        drop_coordinator(member);
        wire_connection_init(&member->coordinator, &member->cluster->client, found.host,
                             found.port);
    }
}

// Its connection is gone, and with it what was under way.
static void watch_connection(struct wire_member *member, int64_t now_ms)
{
    const struct wire_connection *c = &member->coordinator;
    bool is_lost = c->state == WIRE_CLOSED && (member->is_calling || c->n_failures > 0);
    if (c->host == NULL || !is_lost)
        return;
    char problem[WIRE_PROBLEM_TEXT];
    snprintf(problem, sizeof(problem), "%s", c->problem);
    drop_coordinator(member); // another one may have taken its place
    try_again(member, problem, now_ms);
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

// The coordinator can be called now.
static bool reach(struct wire_member *member, int64_t now_ms)
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
    name_problem(member, ST_FAIL);
    return false;
}

// What is in common to all that it may answer; true: there is more to be taken.
static bool take_code(struct wire_member *member, int16_t code, int64_t now_ms)
{
    if (code == WIRE_OK || code == WIRE_REBALANCE_IN_PROGRESS) {
        member->heard_ms = member->sent_ms;
        went_well(member);
        return true;
    }
    if (is_final_code(code)) {
        fail(member, code);
        return false;
    }
    if (code == WIRE_NOT_COORDINATOR || code == WIRE_COORDINATOR_NOT_AVAILABLE)
        drop_coordinator(member);
    if (code == WIRE_UNKNOWN_MEMBER_ID)
        set_id(member, STR_LITERAL(""));
    if (code == WIRE_UNKNOWN_MEMBER_ID || code == WIRE_ILLEGAL_GENERATION)
        lose(member);
    try_again(member, wire_error_name(code).text, now_ms);
    return false;
}

// ---- join

static void send_join(struct wire_member *member, int64_t now_ms)
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
        name_problem(member, ST_FAIL);
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
        try_again(member, err.text, now_ms);
        return;
    }
    if (joined->code == WIRE_MEMBER_ID_REQUIRED) {
        set_id(member, joined->member);
        return;
    }
    if (!take_code(member, joined->code, now_ms))
        return;
    if (joined->code != WIRE_OK) {
        try_again(member, wire_error_name(joined->code).text, now_ms);
        return;
    }
    member->heard_ms = now_ms; // it waited for the others: the session begins now
    member->beat_at_ms = now_ms + BEAT_MS;
    member->is_leader = is_leader(member, joined, call->version);
    member->generation = joined->generation;
    set_id(member, joined->member);
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
        try_again(member, err.text, now_ms);
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

static void count(struct wire_member *member, int64_t now_ms)
{
    if (member->n_counted < member->sharing.n_topics) {
        send_count(member, now_ms);
        return;
    }
    member->given = wire_share(&member->sharing, n_known(member), &member->arena);
    member->state = WIRE_TO_SYNC;
}

// ---- sync

static void send_sync(struct wire_member *member, int64_t now_ms)
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

static void take_assignment(struct wire_member *member, struct str bytes, int64_t now_ms)
{
    struct err err;
    arena_clear(&member->given_arena);
    if (wire_assignment_read(bytes, str_of(member->cluster->topic), &member->given_arena,
                             &member->assignment, &err) != ST_OK) {
        try_again(member, err.text, now_ms);
        return;
    }
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
        try_again(member, err.text, now_ms);
    else if (take_code(member, code, now_ms) && code == WIRE_OK)
        take_assignment(member, assignment, now_ms);
}

// ---- keeping alive

static int64_t beat_ms(const struct wire_member *member)
{
    int64_t part = member->config.session_ms / BEATS;
    return part < BEAT_MS ? part : BEAT_MS;
}

static void send_beat(struct wire_member *member, int64_t now_ms)
{
    size_t begin;
    int16_t version;
    const struct wire_identity identity = wire_member_identity(member);
    struct buf *out = begin_call(member, WIRE_HEARTBEAT, &begin, &version, now_ms);
    wire_heartbeat_ask(out, version, &identity);
    wire_call_end(&member->coordinator, begin, 0, now_ms);
    member->beat_at_ms = now_ms + beat_ms(member);
}

static void take_beat(struct wire_member *member, const struct wire_call *call,
                      struct str body, int64_t now_ms)
{
    struct err err;
    int16_t code;
    if (wire_heartbeat_read(body, call->version, &code, &err) != ST_OK)
        try_again(member, err.text, now_ms);
    else if (take_code(member, code, now_ms) && code == WIRE_REBALANCE_IN_PROGRESS)
        begin_rebalance(member);
}

// ---- those that begin together

static void end_gathering(struct wire_member *member)
{
    member->is_gathering = false;
    member->config.wanted = 0;
}

static void send_describe(struct wire_member *member, int64_t now_ms)
{
    size_t begin;
    int16_t version;
    if (wire_connection_version(&member->coordinator, WIRE_DESCRIBE_GROUPS) < 0) {
        end_gathering(member);
        return;
    }
    struct buf *out = begin_call(member, WIRE_DESCRIBE_GROUPS, &begin, &version, now_ms);
    wire_describe_ask(out, version, str_of(member->group));
    wire_call_end(&member->coordinator, begin, 0, now_ms);
    member->describe_at_ms = now_ms + DESCRIBE_MS;
}

// An assignment that is there while the group is stable is of all its members.
static void take_describe(struct wire_member *member, const struct wire_call *call,
                          struct str body)
{
    struct wire_described described;
    if (!member->is_gathering)
        return;
    if (wire_describe_read(body, call->version, &described, NULL) != ST_OK ||
        described.code != WIRE_OK ||
        (str_is(described.state, "Stable") &&
         described.n_members >= (size_t)member->config.wanted))
        end_gathering(member);
}

// ---- leaving

static void send_leave(struct wire_member *member, int64_t now_ms)
{
    size_t begin;
    int16_t version;
    const struct wire_identity identity = wire_member_identity(member);
    struct buf *out = begin_call(member, WIRE_LEAVE_GROUP, &begin, &version, now_ms);
    wire_leave_ask(out, version, &identity);
    wire_call_end(&member->coordinator, begin, 0, now_ms);
}

// Whether the coordinator may know of it: from the first JoinGroup on.
static bool is_known(const struct wire_member *member)
{
    return member->id[0] != '\0' || (member->instance != NULL && member->has_joined);
}

// What waits for others is not waited for: its answer comes to nobody.
static void drop_call(struct wire_member *member)
{
    AUTO(mem_auto_free) char *host = mem_strdup(member->coordinator.host);
    int32_t port = member->coordinator.port;
    drop_coordinator(member);
    wire_connection_init(&member->coordinator, &member->cluster->client, str_of(host),
                         port);
}

static void work_leave(struct wire_member *member, int64_t now_ms)
{
    bool is_waiting = member->state == WIRE_JOINING || member->state == WIRE_SYNCING;
    if (is_known(member) && is_waiting && member->is_calling)
        drop_call(member);
    if (member->is_left || (is_waiting && member->is_calling))
        return;
    if (!is_known(member))
        member->is_left = true;
    else if (reach(member, now_ms))
        send_leave(member, now_ms);
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
        drop_coordinator(member);
    if (has_moved || code == WIRE_COORDINATOR_LOADS) {
        try_again(member, wire_error_name(code).text, now_ms);
        return;
    }
    member->state = WIRE_OUT;
    member->generation = -1;
    member->has_joined = false;
    set_id(member, STR_LITERAL(""));
    member->is_left = true;
}

void wire_member_leave(struct wire_member *member, UNUSED int64_t now_ms)
{
    member->is_leaving = true;
    member->is_left = member->is_final;
    member->again_at_ms = 0;
}

void wire_member_refused(struct wire_member *member, const struct err *err)
{
    if (member->is_final)
        return;
    member->problem = *err;
    member->is_problem_due = member->is_final = true;
    member->is_left = member->is_leaving;
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
        take_describe(member, call, body);
        break;
    case WIRE_LEAVE_GROUP:
        take_leave(member, body, now_ms);
        break;
    default:
        break;
    }
}

// The answer is taken off its connection first: what it says may end that.
static void take_answers(struct wire_member *member, int64_t now_ms)
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

// ---- the owner's turn

static void watch_owner(struct wire_member *member, int64_t now_ms)
{
    if (member->is_hung ||
        now_ms - member->looked_ms <= (int64_t)member->config.max_poll_ms)
        return;
    member->is_hung = true;
    member->is_left = false;
    lose(member);
}

static void watch_session(struct wire_member *member, int64_t now_ms)
{
    bool is_kept = member->state == WIRE_IN || member->state == WIRE_COUNTING ||
                   member->state == WIRE_TO_SYNC;
    if (!is_kept || now_ms - member->heard_ms <= member->config.session_ms)
        return;
    lose(member);
    if (member->is_calling)
        drop_coordinator(member); // its answer would be waited for, and is worth nothing
}

static void watch_partitions(struct wire_member *member)
{
    if (member->state == WIRE_IN && member->is_leader && !member->is_giving &&
        member->cluster->n_leaders > (size_t)member->assignment.n_known)
        begin_rebalance(member);
}

static void work_in(struct wire_member *member, int64_t now_ms)
{
    if (member->is_gathering && now_ms >= member->gather_until_ms)
        end_gathering(member);
    if (now_ms >= member->beat_at_ms)
        send_beat(member, now_ms);
    else if (member->is_gathering && now_ms >= member->describe_at_ms)
        send_describe(member, now_ms);
}

static void act(struct wire_member *member, int64_t now_ms)
{
    switch (member->state) {
    case WIRE_OUT:
        if (!member->has_owner)
            send_join(member, now_ms);
        break;
    case WIRE_COUNTING:
        count(member, now_ms);
        if (member->state == WIRE_COUNTING && now_ms >= member->beat_at_ms)
            send_beat(member, now_ms);
        break;
    case WIRE_TO_SYNC:
        send_sync(member, now_ms);
        break;
    case WIRE_IN:
        work_in(member, now_ms);
        break;
    case WIRE_JOINING:
    case WIRE_SYNCING:
        break;
    }
}

static bool is_lost(const struct wire_broker *broker)
{
    return broker != NULL && broker->connection.state != WIRE_READY;
}

// Looked at each time: one that is connected anew knows nothing of the question.
static void watch_asked(struct wire_member *member)
{
    if (is_lost(member->asked))
        member->asked = NULL;
    if (is_lost(member->counter))
        member->counter = NULL;
}

void wire_member_work(struct wire_member *member, int64_t now_ms)
{
    watch_asked(member);
    take_answers(member, now_ms);
    watch_connection(member, now_ms);
    if (member->is_final)
        return;
    watch_owner(member, now_ms);
    if (member->is_leaving || member->is_hung) {
        work_leave(member, now_ms);
        return;
    }
    watch_session(member, now_ms);
    watch_partitions(member);
    if (reach(member, now_ms))
        act(member, now_ms);
}

int64_t wire_member_due_ms(const struct wire_member *member, int64_t now_ms)
{
    int64_t due = now_ms + BEAT_MS;
    bool is_pausing = member->again_at_ms > now_ms;
    if (is_pausing)
        due = member->again_at_ms;
    // What is overdue cannot be done before: to wake for it would be to spin.
    if (member->is_calling || member->is_final || is_pausing ||
        !wire_connection_can_call(&member->coordinator))
        return due;
    if (member->state == WIRE_IN && member->beat_at_ms < due)
        due = member->beat_at_ms;
    if (member->is_gathering && member->describe_at_ms < due)
        due = member->describe_at_ms;
    return due > now_ms ? due : now_ms;
}
