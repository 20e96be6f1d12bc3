// SPDX-License-Identifier: Apache-2.0
#include "engine/assignment.h"

#include <assert.h>
#include <stdlib.h>

#include "engine/topic_check.h"

void assignment_init(struct assignment *assignment, const struct worker_parts *parts)
{
    *assignment = (struct assignment){.parts = parts};
}

void assignment_end(struct assignment *assignment)
{
    assignment->n = 0;
    assignment->phase = ASSIGNMENT_NONE;
}

static void begin(struct assignment *assignment, enum assignment_phase phase)
{
    assignment->n_checked = 0;
    assignment->n_origins = 0;
    assignment->n_found = 0;
    assignment->phase = assignment->n ? phase : ASSIGNMENT_START;
}

void assignment_again(struct assignment *assignment)
{
    begin(assignment, ASSIGNMENT_STOP);
}

void assignment_begin(struct assignment *assignment, const int32_t *partitions, size_t n)
{
    assignment->positions =
        mem_resize(assignment->positions, n ? n : 1, sizeof(*assignment->positions));
    assignment->n = n;
    for (size_t i = 0; i < n; i++)
        assignment->positions[i] = (struct progress){.partition = partitions[i]};
    begin(assignment, ASSIGNMENT_ASK);
}

void assignment_release(struct assignment *assignment)
{
    free(assignment->positions);
    free(assignment->origins);
}

bool assignment_has_question(const struct assignment *assignment)
{
    return assignment->phase == ASSIGNMENT_ASK || assignment->phase == ASSIGNMENT_CLAIM;
}

bool assignment_is_waiting(const struct assignment *assignment)
{
    return assignment->phase == ASSIGNMENT_ASKED ||
           assignment->phase == ASSIGNMENT_CLAIMED;
}

static void send(struct assignment *assignment, struct message *message)
{
    bool sent = mailbox_try_push(&assignment->parts->mail->to_committer, message);
    assert(sent); // one question at a time
}

static const struct progress *find(const struct message *message, int32_t partition)
{
    for (size_t i = 0; i < message->n_progress; i++)
        if (message->progress[i].partition == partition)
            return &message->progress[i];
    return NULL;
}

void assignment_state(struct assignment *assignment, const struct message *message)
{
    for (size_t i = 0; i < assignment->n; i++) {
        struct progress *position = &assignment->positions[i];
        const struct progress *known = find(message, position->partition);
        position->next = known ? known->next : -1;
        position->last = known ? known->last : (struct record_mark){.offset = -1};
    }
    assignment->base = message->next_entry;
    assignment->phase = message->next_entry ? ASSIGNMENT_CHECK : ASSIGNMENT_COUNT;
}

void assignment_claimed(struct assignment *assignment)
{
    assignment->phase = ASSIGNMENT_START;
}

// An empty log.

static enum status step_count(struct assignment *assignment, struct err *err)
{
    struct source *source = assignment->parts->source;
    int32_t n;
    TRY(source->ops->count(source, &n, err));
    assignment->n_origins = (size_t)n;
    assignment->origins = mem_resize(assignment->origins, assignment->n_origins + 1,
                                     sizeof(*assignment->origins));
    assignment->phase = ASSIGNMENT_ORIGINS;
    return ST_OK;
}

static enum status find_origin(const struct assignment *assignment, int32_t partition,
                               int64_t *ret, struct err *err)
{
    const struct job_settings *settings = &assignment->parts->job->settings;
    struct source *source = assignment->parts->source;
    if (settings->start == START_TIME)
        return source->ops->offset_at(source, partition, settings->start_ms, ret, err);
    struct source_range range;
    TRY(source->ops->range(source, partition, &range, err));
    *ret = settings->start == START_LATEST ? range.high : range.low;
    return ST_OK;
}

static void use_origins(struct assignment *assignment)
{
    for (size_t i = 0; i < assignment->n; i++) {
        struct progress *position = &assignment->positions[i];
        if ((size_t)position->partition < assignment->n_origins)
            position->next = assignment->origins[position->partition].offset;
    }
    assignment->phase = ASSIGNMENT_CHECK;
}

static enum status step_origins(struct assignment *assignment, struct err *err)
{
    if (assignment->n_found == assignment->n_origins) {
        use_origins(assignment);
        return ST_OK;
    }
    struct source_start *origin = &assignment->origins[assignment->n_found];
    origin->partition = (int32_t)assignment->n_found;
    TRY(find_origin(assignment, origin->partition, &origin->offset, err));
    assignment->n_found++;
    return ST_OK;
}

// The check: is the topic still the one that the log was made from?

static enum status step_check(struct assignment *assignment, struct err *err)
{
    if (assignment->n_checked == assignment->n) {
        assignment->phase = ASSIGNMENT_CLAIM;
        return ST_OK;
    }
    struct source *source = assignment->parts->source;
    struct progress *position = &assignment->positions[assignment->n_checked];
    struct source_range range;
    TRY(source->ops->range(source, position->partition, &range, err));
    if (position->next < 0)
        position->next = range.low;
    TRY(topic_check_end(source, position->partition, position->next, &range, err));
    if (position->last.offset >= range.low)
        TRY(topic_check_record(source, position->partition, &position->last, err));
    assignment->n_checked++;
    return ST_OK;
}

// Claim and start.

static struct source_start *starts_of(const struct assignment *assignment,
                                      struct arena *arena)
{
    struct source_start *starts =
        arena_array(arena, assignment->n, sizeof(struct source_start));
    for (size_t i = 0; i < assignment->n; i++)
        starts[i] = (struct source_start){assignment->positions[i].partition,
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
        arena_array(&message->arena, message->n_origins, sizeof(struct source_start));
    for (size_t i = 0; i < message->n_origins; i++)
        message->origins[i] = assignment->origins[i];
    send(assignment, message);
    assignment->phase = ASSIGNMENT_CLAIMED;
}

enum status assignment_start(struct assignment *assignment, struct err *err)
{
    struct source *source = assignment->parts->source;
    struct arena arena AUTO(arena_release) = {0};
    TRY(source->ops->start(source, starts_of(assignment, &arena), assignment->n, err));
    assignment->phase = ASSIGNMENT_READING;
    return ST_OK;
}

enum status assignment_step(struct assignment *assignment, int64_t generation,
                            struct err *err)
{
    switch (assignment->phase) {
    case ASSIGNMENT_STOP:
        TRY(assignment->parts->source->ops->stop(assignment->parts->source, err));
        assignment->phase = ASSIGNMENT_ASK;
        return ST_OK;
    case ASSIGNMENT_ASK:
        send(assignment, message_new(ASK_STATE, generation));
        assignment->phase = ASSIGNMENT_ASKED;
        return ST_OK;
    case ASSIGNMENT_COUNT:
        return step_count(assignment, err);
    case ASSIGNMENT_ORIGINS:
        return step_origins(assignment, err);
    case ASSIGNMENT_CHECK:
        return step_check(assignment, err);
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
