// SPDX-License-Identifier: Apache-2.0
#include "work/membership.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "work/progress.h"

enum {
    LATE_AFTER_MS = 2000
};

void membership_init(struct membership *membership, const struct job_settings *settings)
{
    *membership = (struct membership){.settings = settings};
}

void membership_release(struct membership *membership)
{
    free(membership->positions);
    free(membership->is_checked);
    free(membership->late);
    free(membership->origins);
}

static void enter(struct membership *membership, enum membership_phase phase)
{
    membership->is_asked = false;
    membership->phase = phase;
}

// Which are ours.

void membership_let_go(struct membership *membership)
{
    membership->n = 0;
    membership->n_late = 0;
    enter(membership, MEMBERSHIP_LET_GO);
}

int64_t membership_forget(struct membership *membership)
{
    return ++membership->generation;
}

int64_t membership_conflict(struct membership *membership)
{
    int n = ++membership->n_conflicts;
    return INT64_C(100) << (n < 8 ? n : 8);
}

void membership_committed(struct membership *membership)
{
    membership->n_conflicts = 0;
}

static void make_room(struct membership *membership, size_t n)
{
    membership->positions =
        mem_resize(membership->positions, n + 1, sizeof(*membership->positions));
    membership->is_checked =
        mem_resize(membership->is_checked, n + 1, sizeof(*membership->is_checked));
    membership->late = mem_resize(membership->late, n + 1, sizeof(*membership->late));
}

static void begin(struct membership *membership, enum membership_phase phase)
{
    membership->n_origins = 0;
    membership->n_late = 0;
    enter(membership, membership->n ? phase : MEMBERSHIP_START);
}

static int compare_partitions(const void *a, const void *b)
{
    int32_t x = ((const struct progress *)a)->partition;
    int32_t y = ((const struct progress *)b)->partition;
    return (x > y) - (x < y);
}

void membership_again(struct membership *membership)
{
    for (size_t i = 0; i < membership->n_late; i++)
        membership->positions[membership->n++] =
            (struct progress){.partition = membership->late[i]};
    qsort(membership->positions, membership->n, sizeof(*membership->positions),
          compare_partitions);
    begin(membership, MEMBERSHIP_STOP);
}

void membership_given(struct membership *membership, const int32_t *partitions, size_t n)
{
    make_room(membership, n);
    membership->n = n;
    for (size_t i = 0; i < n; i++)
        membership->positions[i] = (struct progress){.partition = partitions[i]};
    begin(membership, MEMBERSHIP_LOG);
}

void membership_keep(struct membership *membership, const struct unit *unit)
{
    for (size_t i = 0; i < unit->n_spans; i++) {
        membership->positions[i].next = unit->spans[i].next;
        membership->positions[i].last = unit->spans[i].last;
        membership->positions[i].epoch = unit->spans[i].epoch;
    }
}

void membership_start_again(struct membership *membership)
{
    membership->phase = MEMBERSHIP_START;
}

// The log's answer.

static void begin_check(struct membership *membership, int64_t now_ms)
{
    memset(membership->is_checked, 0, membership->n * sizeof(*membership->is_checked));
    membership->n_checked = 0;
    membership->check_until_ms = now_ms + LATE_AFTER_MS;
    enter(membership, MEMBERSHIP_CHECK);
}

void membership_log(struct membership *membership, const struct message *message,
                    int64_t now_ms)
{
    for (size_t i = 0; i < membership->n; i++) {
        struct progress *position = &membership->positions[i];
        const struct progress *known =
            progress_find(message->progress, message->n_progress, position->partition);
        position->next = known ? known->next : -1;
        position->last = known ? known->last : (struct record_mark){.offset = -1};
        position->epoch = known ? known->epoch : (struct leader_epoch){0};
    }
    memcpy(membership->topic_id, message->topic_id, TOPIC_ID_TEXT);
    membership->base = message->next_entry;
    if (message->next_entry)
        begin_check(membership, now_ms);
    else
        enter(membership, MEMBERSHIP_COUNT);
}

void membership_claimed(struct membership *membership, const struct message *message)
{
    snprintf(membership->writer, UUID_TEXT, "%.*s", STR_ARGS(message->writer));
    enter(membership, MEMBERSHIP_START);
}

// An empty log.

static bool take_count(struct membership *membership, const struct message *message)
{
    if (!message->probes[0].is_answered)
        return false;
    size_t n = (size_t)message->probes[0].count;
    membership->n_origins = n;
    membership->origins =
        mem_resize(membership->origins, n + 1, sizeof(*membership->origins));
    for (size_t i = 0; i < n; i++)
        membership->origins[i] =
            (struct stream_start){.partition = (int32_t)i, .offset = -1};
    enter(membership, MEMBERSHIP_ORIGINS);
    return true;
}

static void add_origins(const struct membership *membership, struct message *message)
{
    const struct job_settings *settings = membership->settings;
    for (size_t i = 0; i < membership->n_origins; i++)
        if (membership->origins[i].offset < 0)
            message->probes[message->n_probes++] = (struct probe){
                .kind = settings->start == START_TIME ? PROBE_TIME : PROBE_RANGE,
                .partition = (int32_t)i,
                .time_ms = settings->start_ms,
            };
}

static void use_origins(struct membership *membership, int64_t now_ms)
{
    for (size_t i = 0; i < membership->n; i++) {
        struct progress *position = &membership->positions[i];
        if ((size_t)position->partition < membership->n_origins)
            position->next = membership->origins[position->partition].offset;
    }
    begin_check(membership, now_ms);
}

static bool take_origins(struct membership *membership, const struct message *message,
                         int64_t now_ms)
{
    bool is_latest = membership->settings->start == START_LATEST;
    bool all = true;
    for (size_t i = 0; i < message->n_probes; i++) {
        const struct probe *probe = &message->probes[i];
        int64_t edge = is_latest ? probe->range.high : probe->range.low;
        if (probe->is_answered)
            membership->origins[probe->partition].offset =
                probe->kind == PROBE_TIME ? probe->offset : edge;
        all &= probe->is_answered;
    }
    if (all)
        use_origins(membership, now_ms);
    return all;
}

// The check: is the topic still the one that the log was made from?

static void add_checks(const struct membership *membership, struct message *message)
{
    for (size_t i = 0; i < membership->n; i++)
        if (!membership->is_checked[i])
            message->probes[message->n_probes++] =
                progress_check(&membership->positions[i]);
    if (message->n_probes > 0) // once for all
        memcpy(message->probes[0].topic_id, membership->topic_id, TOPIC_ID_TEXT);
}

// Goes on with those that have answered.
static void leave_late(struct membership *membership)
{
    size_t kept = 0;
    for (size_t i = 0; i < membership->n; i++)
        if (membership->is_checked[i])
            membership->positions[kept++] = membership->positions[i];
        else
            membership->late[membership->n_late++] = membership->positions[i].partition;
    membership->n = kept;
}

static bool take_checks(struct membership *membership, const struct message *message,
                        int64_t now_ms)
{
    size_t at = 0;
    for (size_t i = 0; i < message->n_probes; i++) {
        const struct probe *probe = &message->probes[i];
        while (membership->positions[at].partition != probe->partition)
            at++;
        struct progress *position = &membership->positions[at];
        if (position->next < 0)
            position->next = probe->is_answered ? probe->range.low : -1;
        membership->is_checked[at] = probe->is_answered;
        membership->n_checked += probe->is_answered;
    }
    bool all = membership->n_checked == membership->n;
    if (!all && !membership_goes_without(membership, now_ms))
        return false;
    if (!all) {
        leave_late(membership);
        log_warn("%s; %zu of %zu partitions do not answer and are read later",
                 message->err.text, membership->n_late,
                 membership->n + membership->n_late);
    }
    enter(membership, MEMBERSHIP_CLAIM);
    return true;
}

struct message *membership_probes(const struct membership *membership)
{
    size_t n =
        membership->n > membership->n_origins ? membership->n : membership->n_origins;
    struct message *message =
        message_probes(PROBES_ASSIGNMENT, membership->generation, n);
    if (membership->phase == MEMBERSHIP_COUNT)
        message->probes[message->n_probes++].kind = PROBE_COUNT;
    else if (membership->phase == MEMBERSHIP_ORIGINS)
        add_origins(membership, message);
    else
        add_checks(membership, message);
    return message;
}

bool membership_told(struct membership *membership, const struct message *message,
                     int64_t now_ms)
{
    membership->is_asked = false;
    switch (membership->phase) {
    case MEMBERSHIP_COUNT:
        return take_count(membership, message);
    case MEMBERSHIP_ORIGINS:
        return take_origins(membership, message, now_ms);
    default:
        return take_checks(membership, message, now_ms);
    }
}

struct message *membership_ask_late(const struct membership *membership)
{
    struct message *message =
        message_probes(PROBES_LATE, membership->generation, membership->n_late);
    for (size_t i = 0; i < membership->n_late; i++)
        message->probes[message->n_probes++] =
            (struct probe){.kind = PROBE_RANGE, .partition = membership->late[i]};
    return message;
}

// Claim and start.

struct stream_start *membership_starts(const struct membership *membership,
                                       struct arena *arena)
{
    struct stream_start *starts =
        arena_array(arena, membership->n, sizeof(struct stream_start));
    for (size_t i = 0; i < membership->n; i++)
        starts[i] = (struct stream_start){membership->positions[i].partition,
                                          membership->positions[i].next,
                                          membership->positions[i].epoch};
    return starts;
}

struct message *membership_claim(const struct membership *membership)
{
    struct message *message = message_new(ASK_CLAIM, membership->generation);
    message->starts = membership_starts(membership, &message->arena);
    message->n_starts = membership->n;
    message->next_entry = membership->base;
    message->n_origins = membership->n_origins;
    message->origins =
        arena_array(&message->arena, message->n_origins, sizeof(struct stream_start));
    for (size_t i = 0; i < message->n_origins; i++)
        message->origins[i] = membership->origins[i];
    return message;
}

// What is next.

enum membership_act membership_next(const struct membership *membership)
{
    if (membership->is_asked)
        return MEMBERSHIP_WAIT;
    switch (membership->phase) {
    case MEMBERSHIP_LET_GO:
    case MEMBERSHIP_STOP:
        return MEMBERSHIP_STOP_STREAM;
    case MEMBERSHIP_LOG:
        return MEMBERSHIP_ASK_LOG;
    case MEMBERSHIP_COUNT:
    case MEMBERSHIP_ORIGINS:
    case MEMBERSHIP_CHECK:
        return MEMBERSHIP_ASK_TOPIC;
    case MEMBERSHIP_CLAIM:
        return MEMBERSHIP_ASK_CLAIM;
    case MEMBERSHIP_START:
        return MEMBERSHIP_START_STREAM;
    case MEMBERSHIP_NONE:
    case MEMBERSHIP_READING:
        break;
    }
    return MEMBERSHIP_WAIT;
}

void membership_done(struct membership *membership)
{
    switch (membership_next(membership)) {
    case MEMBERSHIP_STOP_STREAM:
        membership->phase =
            membership->phase == MEMBERSHIP_STOP ? MEMBERSHIP_LOG : MEMBERSHIP_NONE;
        break;
    case MEMBERSHIP_START_STREAM:
        membership->phase = MEMBERSHIP_READING;
        break;
    default:
        membership->is_asked = true;
        break;
    }
}
