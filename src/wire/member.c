// SPDX-License-Identifier: Apache-2.0
#include "wire/member_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    FIRST_PAUSE_MS = 50,
    LAST_PAUSE_MS = 1000,
    REFUSED_TOLD = 5,  // errors in a row, before they are told
    SYNC_SESSIONS = 5, // for so long the group's leader may share out
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

// It is static where it can join as one, or no other request would find it by that name.
struct wire_identity wire_member_identity(const struct wire_member *member)
{
    const int16_t joins_by_name = 5;
    bool is_static =
        member->coordinator.host != NULL &&
        wire_connection_version(&member->coordinator, WIRE_JOIN_GROUP) >= joins_by_name;
    return (struct wire_identity){
        .group = str_of(member->group),
        .member = str_of(member->id),
        .instance = is_static ? str_of(member->instance) : (struct str){0},
        .generation = member->generation,
    };
}

bool wire_member_is_in(const struct wire_member *member)
{
    return member->state == WIRE_IN;
}

void wire_member_set_id(struct wire_member *member, struct str id)
{
    char *old = member->id;
    member->id = mem_strndup(id.p ? id.p : "", id.n);
    free(old);
}

// ---- trouble

void wire_member_name_problem(struct wire_member *member, enum status status)
{
    (void)err_context(&member->problem, status, "topic '%s', group '%s'",
                      member->cluster->topic, member->group);
    member->is_problem_due = true;
    member->is_final |= status != ST_RETRY;
}

static int64_t pause_ms(int n_before)
{
    int64_t pause = FIRST_PAUSE_MS;
    for (int i = 0; i < n_before && pause < LAST_PAUSE_MS; i++)
        pause *= 2;
    return pause < LAST_PAUSE_MS ? pause : LAST_PAUSE_MS;
}

void wire_member_try_again(struct wire_member *member, const char *why, int64_t now_ms)
{
    member->again_at_ms = now_ms + pause_ms(member->n_refused);
    if (++member->n_refused < REFUSED_TOLD || wire_member_is_in(member) ||
        member->is_final || member->problem.status == ST_RETRY)
        return;
    (void)err_set(&member->problem, ST_RETRY, "%s", why);
    wire_member_name_problem(member, ST_RETRY);
}

void wire_member_went_well(struct wire_member *member)
{
    member->n_refused = 0;
    member->again_at_ms = 0;
    if (!member->is_problem_due)
        member->problem.status = ST_OK;
}

void wire_member_fail(struct wire_member *member, int16_t code)
{
    struct err *err = &member->problem;
    const struct wire_error error = wire_error_name(code);
    const char *name = error.text;
    switch (code) {
    case WIRE_FENCED_INSTANCE_ID:
        member->is_fenced = true;
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
    wire_member_name_problem(member, ST_FAIL);
}

bool wire_member_is_final_code(int16_t code)
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

void wire_member_lose(struct wire_member *member)
{
    member->state = WIRE_OUT;
    member->is_giving = false;
    member->is_gathering = false;
    member->generation = -1;
    member->due = member->has_owner ? STREAM_LOST : STREAM_IDLE;
}

void wire_member_begin_rebalance(struct wire_member *member)
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
        wire_member_name_problem(member, ST_RETRY);
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

void wire_member_drop_coordinator(struct wire_member *member)
{
    if (member->coordinator.host != NULL)
        wire_connection_release(&member->coordinator);
    member->is_calling = false;
    if (member->state == WIRE_JOINING || member->state == WIRE_SYNCING)
        member->state = WIRE_OUT;
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
    wire_member_drop_coordinator(member); // another one may have taken its place
    wire_member_try_again(member, problem, now_ms);
}

// ---- leaving

// Whether the coordinator may know of it: from the first JoinGroup on.
static bool is_known(const struct wire_member *member)
{
    return member->id[0] != '\0' || (member->instance != NULL && member->has_joined);
}

// There is nothing to leave: another one has its place, or it was never let in.
static bool is_refused(const struct wire_member *member)
{
    return member->is_fenced || (member->is_final && member->id[0] == '\0');
}

// What waits for others is not waited for: its answer comes to nobody.
static void drop_call(struct wire_member *member)
{
    AUTO(mem_auto_free) char *host = mem_strdup(member->coordinator.host);
    int32_t port = member->coordinator.port;
    wire_member_drop_coordinator(member);
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
    if (!is_known(member) || is_refused(member))
        member->is_left = true;
    else if (wire_member_reach(member, now_ms))
        wire_member_send_leave(member, now_ms);
}

void wire_member_leave(struct wire_member *member, UNUSED int64_t now_ms)
{
    member->is_leaving = true;
    member->is_left = false;
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

// ---- the owner's turn

static void watch_owner(struct wire_member *member, int64_t now_ms)
{
    if (member->is_hung ||
        now_ms - member->looked_ms <= (int64_t)member->config.max_poll_ms)
        return;
    member->is_hung = true;
    member->is_left = false;
    wire_member_lose(member);
}

static void watch_session(struct wire_member *member, int64_t now_ms)
{
    bool is_kept = member->state == WIRE_IN || member->state == WIRE_COUNTING ||
                   member->state == WIRE_TO_SYNC;
    if (!is_kept || now_ms - member->heard_ms <= member->config.session_ms)
        return;
    wire_member_lose(member);
    if (member->is_calling)
        wire_member_drop_coordinator(
            member); // its answer would be waited for, and is worth nothing
}

// Of a group in which nobody knows that it leads, which is so as long as nobody joins
// anew, or whose leader hangs.
static void watch_sync(struct wire_member *member, int64_t now_ms)
{
    int64_t limit_ms = (int64_t)SYNC_SESSIONS * member->config.session_ms;
    if (member->state != WIRE_SYNCING || !member->is_calling ||
        now_ms - member->sent_ms <= limit_ms)
        return;
    drop_call(member);
    (void)err_set(&member->problem, ST_RETRY,
                  "its leader has not shared out within %" PRId64 " ms; joining again",
                  limit_ms);
    wire_member_name_problem(member, ST_RETRY);
}

static void watch_partitions(struct wire_member *member)
{
    if (member->state == WIRE_IN && member->is_leader && !member->is_giving &&
        member->cluster->n_leaders > (size_t)member->assignment.n_known)
        wire_member_begin_rebalance(member);
}

static void work_in(struct wire_member *member, int64_t now_ms)
{
    if (member->is_gathering && now_ms >= member->gather_until_ms)
        wire_member_end_gathering(member);
    if (now_ms >= member->beat_at_ms)
        wire_member_send_beat(member, now_ms);
    else if (member->is_gathering && now_ms >= member->describe_at_ms)
        wire_member_send_describe(member, now_ms);
}

static void act(struct wire_member *member, int64_t now_ms)
{
    switch (member->state) {
    case WIRE_OUT:
        if (!member->has_owner)
            wire_member_send_join(member, now_ms);
        break;
    case WIRE_COUNTING:
        wire_member_count(member, now_ms);
        if (member->state == WIRE_COUNTING && now_ms >= member->beat_at_ms)
            wire_member_send_beat(member, now_ms);
        break;
    case WIRE_TO_SYNC:
        wire_member_send_sync(member, now_ms);
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
    wire_member_take_answers(member, now_ms);
    watch_connection(member, now_ms);
    if (member->is_final && !member->is_leaving)
        return;
    watch_owner(member, now_ms);
    if (member->is_leaving || member->is_hung) {
        work_leave(member, now_ms);
        return;
    }
    watch_session(member, now_ms);
    watch_sync(member, now_ms);
    watch_partitions(member);
    if (wire_member_reach(member, now_ms))
        act(member, now_ms);
}

int64_t wire_member_due_ms(const struct wire_member *member, int64_t now_ms)
{
    int64_t due = now_ms + WIRE_BEAT_MS;
    bool is_pausing = member->again_at_ms > now_ms;
    if (is_pausing)
        due = member->again_at_ms;
    // What is overdue cannot be done before: to wake for it would be to spin.
    if (member->is_calling || (member->is_final && !member->is_leaving) || is_pausing ||
        !wire_connection_can_call(&member->coordinator))
        return due;
    if (member->state == WIRE_IN && member->beat_at_ms < due)
        due = member->beat_at_ms;
    if (member->is_gathering && member->describe_at_ms < due)
        due = member->describe_at_ms;
    return due > now_ms ? due : now_ms;
}
