// SPDX-License-Identifier: Apache-2.0
#include "work/assignment.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "work/progress.h"

enum {
    LATE_AFTER_MS = 2000
};

static int64_t now_ms(const struct assignment *assignment)
{
    struct env *env = assignment->parts->env;
    return env->ops->monotonic_ms(env);
}

void assignment_init(struct assignment *assignment, const struct worker_parts *parts)
{
    *assignment = (struct assignment){.parts = parts};
}

void assignment_end(struct assignment *assignment)
{
    assignment->n = 0;
    assignment->n_late = 0;
    assignment->phase = ASSIGNMENT_NONE;
}

static void make_room(struct assignment *assignment, size_t n)
{
    assignment->positions =
        mem_resize(assignment->positions, n + 1, sizeof(*assignment->positions));
    assignment->is_checked =
        mem_resize(assignment->is_checked, n + 1, sizeof(*assignment->is_checked));
    assignment->late = mem_resize(assignment->late, n + 1, sizeof(*assignment->late));
}

static void begin(struct assignment *assignment, enum assignment_phase phase)
{
    assignment->is_asking = false;
    assignment->n_origins = 0;
    assignment->n_late = 0;
    assignment->phase = assignment->n ? phase : ASSIGNMENT_START;
}

static int compare_partitions(const void *a, const void *b)
{
    int32_t x = ((const struct progress *)a)->partition;
    int32_t y = ((const struct progress *)b)->partition;
    return (x > y) - (x < y);
}

void assignment_again(struct assignment *assignment)
{
    for (size_t i = 0; i < assignment->n_late; i++)
        assignment->positions[assignment->n++] =
            (struct progress){.partition = assignment->late[i]};
    qsort(assignment->positions, assignment->n, sizeof(*assignment->positions),
          compare_partitions);
    begin(assignment, ASSIGNMENT_STOP);
}

void assignment_begin(struct assignment *assignment, const int32_t *partitions, size_t n)
{
    make_room(assignment, n);
    assignment->n = n;
    for (size_t i = 0; i < n; i++)
        assignment->positions[i] = (struct progress){.partition = partitions[i]};
    begin(assignment, ASSIGNMENT_ASK);
}

void assignment_release(struct assignment *assignment)
{
    free(assignment->positions);
    free(assignment->is_checked);
    free(assignment->late);
    free(assignment->origins);
}

bool assignment_has_question(const struct assignment *assignment)
{
    return assignment->phase == ASSIGNMENT_ASK || assignment->phase == ASSIGNMENT_CLAIM;
}

bool assignment_has_probes(const struct assignment *assignment)
{
    return assignment->phase == ASSIGNMENT_COUNT ||
           assignment->phase == ASSIGNMENT_ORIGINS ||
           assignment->phase == ASSIGNMENT_CHECK;
}

bool assignment_is_waiting(const struct assignment *assignment)
{
    return assignment->phase == ASSIGNMENT_ASKED ||
           assignment->phase == ASSIGNMENT_CLAIMED || assignment->is_asking;
}

static void send(struct mailbox *box, struct message *message)
{
    bool sent = mailbox_try_push(box, message);
    assert(sent); // one question at a time
}

static void begin_check(struct assignment *assignment)
{
    memset(assignment->is_checked, 0, assignment->n * sizeof(*assignment->is_checked));
    assignment->n_checked = 0;
    assignment->check_until_ms = now_ms(assignment) + LATE_AFTER_MS;
    assignment->phase = ASSIGNMENT_CHECK;
}

void assignment_state(struct assignment *assignment, const struct message *message)
{
    for (size_t i = 0; i < assignment->n; i++) {
        struct progress *position = &assignment->positions[i];
        const struct progress *known =
            progress_find(message->progress, message->n_progress, position->partition);
        position->next = known ? known->next : -1;
        position->last = known ? known->last : (struct record_mark){.offset = -1};
    }
    assignment->base = message->next_entry;
    if (message->next_entry)
        begin_check(assignment);
    else
        assignment->phase = ASSIGNMENT_COUNT;
}

void assignment_claimed(struct assignment *assignment, const struct message *message)
{
    snprintf(assignment->writer, UUID_TEXT, "%.*s", STR_ARGS(message->writer));
    assignment->phase = ASSIGNMENT_START;
}

// An empty log.

static bool take_count(struct assignment *assignment, const struct message *message)
{
    if (!message->probes[0].is_answered)
        return false;
    size_t n = (size_t)message->probes[0].count;
    assignment->n_origins = n;
    assignment->origins =
        mem_resize(assignment->origins, n + 1, sizeof(*assignment->origins));
    for (size_t i = 0; i < n; i++)
        assignment->origins[i] = (struct stream_start){(int32_t)i, -1};
    assignment->phase = ASSIGNMENT_ORIGINS;
    return true;
}

static void add_origins(const struct assignment *assignment, struct message *message)
{
    const struct job_settings *settings = &assignment->parts->job->settings;
    for (size_t i = 0; i < assignment->n_origins; i++)
        if (assignment->origins[i].offset < 0)
            message->probes[message->n_probes++] = (struct probe){
                .kind = settings->start == START_TIME ? PROBE_TIME : PROBE_RANGE,
                .partition = (int32_t)i,
                .time_ms = settings->start_ms,
            };
}

static void use_origins(struct assignment *assignment)
{
    for (size_t i = 0; i < assignment->n; i++) {
        struct progress *position = &assignment->positions[i];
        if ((size_t)position->partition < assignment->n_origins)
            position->next = assignment->origins[position->partition].offset;
    }
    begin_check(assignment);
}

static bool take_origins(struct assignment *assignment, const struct message *message)
{
    bool is_latest = assignment->parts->job->settings.start == START_LATEST;
    bool all = true;
    for (size_t i = 0; i < message->n_probes; i++) {
        const struct probe *probe = &message->probes[i];
        int64_t edge = is_latest ? probe->range.high : probe->range.low;
        if (probe->is_answered)
            assignment->origins[probe->partition].offset =
                probe->kind == PROBE_TIME ? probe->offset : edge;
        all &= probe->is_answered;
    }
    if (all)
        use_origins(assignment);
    return all;
}

// The check: is the topic still the one that the log was made from?

static void add_checks(const struct assignment *assignment, struct message *message)
{
    for (size_t i = 0; i < assignment->n; i++)
        if (!assignment->is_checked[i])
            message->probes[message->n_probes++] =
                progress_check(&assignment->positions[i]);
}

// Goes on with those that have answered.
static void leave_late(struct assignment *assignment)
{
    size_t kept = 0;
    for (size_t i = 0; i < assignment->n; i++)
        if (assignment->is_checked[i])
            assignment->positions[kept++] = assignment->positions[i];
        else
            assignment->late[assignment->n_late++] = assignment->positions[i].partition;
    assignment->n = kept;
}

static bool take_checks(struct assignment *assignment, const struct message *message)
{
    size_t at = 0;
    for (size_t i = 0; i < message->n_probes; i++) {
        const struct probe *probe = &message->probes[i];
        while (assignment->positions[at].partition != probe->partition)
            at++;
        struct progress *position = &assignment->positions[at];
        if (position->next < 0)
            position->next = probe->is_answered ? probe->range.low : -1;
        assignment->is_checked[at] = probe->is_answered;
        assignment->n_checked += probe->is_answered;
    }
    bool all = assignment->n_checked == assignment->n;
    if (!all && !assignment_goes_without(assignment, now_ms(assignment)))
        return false;
    if (!all) {
        leave_late(assignment);
        log_warn("%s; %zu of %zu partitions do not answer and are read later",
                 message->err.text, assignment->n_late,
                 assignment->n + assignment->n_late);
    }
    assignment->phase = ASSIGNMENT_CLAIM;
    return true;
}

static void send_probes(struct assignment *assignment, int64_t generation)
{
    size_t n =
        assignment->n > assignment->n_origins ? assignment->n : assignment->n_origins;
    struct message *message = message_probes(PROBES_ASSIGNMENT, generation, n);
    if (assignment->phase == ASSIGNMENT_COUNT)
        message->probes[message->n_probes++].kind = PROBE_COUNT;
    else if (assignment->phase == ASSIGNMENT_ORIGINS)
        add_origins(assignment, message);
    else
        add_checks(assignment, message);
    const struct worker_parts *parts = assignment->parts;
    probes_ask(message, parts->asker, parts->topic, parts->mail, &parts->mail->to_worker);
    assignment->is_asking = true;
}

bool assignment_told(struct assignment *assignment, const struct message *message)
{
    assignment->is_asking = false;
    switch (assignment->phase) {
    case ASSIGNMENT_COUNT:
        return take_count(assignment, message);
    case ASSIGNMENT_ORIGINS:
        return take_origins(assignment, message);
    default:
        return take_checks(assignment, message);
    }
}

struct message *assignment_ask_late(const struct assignment *assignment,
                                    int64_t generation)
{
    struct message *message = message_probes(PROBES_LATE, generation, assignment->n_late);
    for (size_t i = 0; i < assignment->n_late; i++)
        message->probes[message->n_probes++] =
            (struct probe){.kind = PROBE_RANGE, .partition = assignment->late[i]};
    return message;
}

// Claim and start.

static struct stream_start *starts_of(const struct assignment *assignment,
                                      struct arena *arena)
{
    struct stream_start *starts =
        arena_array(arena, assignment->n, sizeof(struct stream_start));
    for (size_t i = 0; i < assignment->n; i++)
        starts[i] = (struct stream_start){assignment->positions[i].partition,
                                          assignment->positions[i].next};
    return starts;
}

static void send_claim(struct assignment *assignment, int64_t generation)
{
    struct message *message = message_new(ASK_CLAIM, generation);
    message->starts = starts_of(assignment, &message->arena);
    message->n_starts = assignment->n;
    message->next_entry = assignment->base;
    message->n_origins = assignment->n_origins;
    message->origins =
        arena_array(&message->arena, message->n_origins, sizeof(struct stream_start));
    for (size_t i = 0; i < message->n_origins; i++)
        message->origins[i] = assignment->origins[i];
    send(&assignment->parts->mail->to_uploader, message);
    assignment->phase = ASSIGNMENT_CLAIMED;
}

enum status assignment_start(struct assignment *assignment, struct err *err)
{
    struct stream *stream = assignment->parts->stream;
    struct arena arena AUTO(arena_release) = {0};
    TRY(stream->ops->start(stream, starts_of(assignment, &arena), assignment->n, err));
    assignment->phase = ASSIGNMENT_READING;
    return ST_OK;
}

enum status assignment_step(struct assignment *assignment, int64_t generation,
                            struct err *err)
{
    switch (assignment->phase) {
    case ASSIGNMENT_STOP:
        TRY(assignment->parts->stream->ops->stop(assignment->parts->stream, err));
        assignment->phase = ASSIGNMENT_ASK;
        return ST_OK;
    case ASSIGNMENT_ASK:
        send(&assignment->parts->mail->to_uploader, message_new(ASK_STATE, generation));
        assignment->phase = ASSIGNMENT_ASKED;
        return ST_OK;
    case ASSIGNMENT_COUNT:
    case ASSIGNMENT_ORIGINS:
    case ASSIGNMENT_CHECK:
        send_probes(assignment, generation);
        return ST_OK;
    case ASSIGNMENT_CLAIM:
        send_claim(assignment, generation);
        return ST_OK;
    case ASSIGNMENT_START:
        return assignment_start(assignment, err);
    case ASSIGNMENT_NONE:
    case ASSIGNMENT_ASKED:
    case ASSIGNMENT_CLAIMED:
    case ASSIGNMENT_READING:
        break;
    }
    return ST_OK;
}
