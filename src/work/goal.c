// SPDX-License-Identifier: Apache-2.0
#include "work/goal.h"

#include <stdio.h>
#include <stdlib.h>

#include "work/progress.h"

bool goal_is_known(const struct goal *goal)
{
    return goal->is_counted && goal->n_found == goal->n;
}

struct message *goal_ask(const struct goal *goal, int64_t generation)
{
    if (goal_is_known(goal))
        return NULL;
    size_t n = goal->is_counted ? (size_t)goal->n : 1;
    struct message *message = message_probes(PROBES_GOAL, generation, n);
    if (!goal->is_counted) {
        message->probes[message->n_probes++].kind = PROBE_COUNT;
        return message;
    }
    for (int32_t i = 0; i < goal->n; i++)
        if (goal->ranges[i].high < 0)
            message->probes[message->n_probes++] =
                (struct probe){.kind = PROBE_RANGE, .partition = i};
    return message;
}

static void count(struct goal *goal, int32_t n)
{
    if (goal->is_counted)
        return;
    goal->is_counted = true;
    goal->n = n;
    goal->ranges = mem_array((size_t)n + 1, sizeof(*goal->ranges));
    for (int32_t i = 0; i < n; i++)
        goal->ranges[i].high = -1;
}

static void find(struct goal *goal, const struct probe *probe)
{
    struct topic_range *range = &goal->ranges[probe->partition];
    if (range->high < 0)
        goal->n_found++;
    *range = probe->range;
}

static void confirm(struct goal *goal, int32_t partition)
{
    const struct progress *known = progress_find(goal->known, goal->n_known, partition);
    size_t i = (size_t)(known - goal->known);
    goal->n_confirmed += !goal->is_confirmed[i];
    goal->is_confirmed[i] = true;
}

void goal_told(struct goal *goal, const struct message *message)
{
    for (size_t i = 0; i < message->n_probes; i++) {
        const struct probe *probe = &message->probes[i];
        if (!probe->is_answered)
            continue;
        if (probe->kind == PROBE_COUNT)
            count(goal, probe->count);
        else if (probe->kind == PROBE_RANGE)
            find(goal, probe);
        else if (message->next_entry == goal->known_entry)
            confirm(goal, probe->partition);
    }
}

// Whether one partition has been read far enough.
static bool has_reached(const struct goal *goal, int32_t partition, int64_t next)
{
    if (!goal_is_known(goal))
        return false;
    return partition >= goal->n || next >= goal->ranges[partition].high;
}

// A partition that the log does not know is reached if there is nothing in it.
void goal_look(struct goal *goal, const struct message *message)
{
    size_t at = 0;
    goal->is_reached = goal_is_known(goal);
    for (int32_t i = 0; i < goal->n && goal->is_reached; i++) {
        while (at < message->n_progress && message->progress[at].partition < i)
            at++;
        bool is_known = at < message->n_progress && message->progress[at].partition == i;
        int64_t next = is_known ? message->progress[at].next : goal->ranges[i].low;
        goal->behind = i;
        goal->behind_next = next;
        goal->is_reached = has_reached(goal, i, next);
    }
}

void goal_confirm(struct goal *goal, const struct message *message)
{
    size_t n = message->n_progress;
    goal->known = mem_resize(goal->known, n + 1, sizeof(*goal->known));
    goal->is_confirmed = mem_resize(goal->is_confirmed, n + 1, sizeof(bool));
    goal->n_known = n;
    goal->n_confirmed = 0;
    goal->known_entry = message->next_entry;
    memcpy(goal->topic_id, message->topic_id, TOPIC_ID_TEXT);
    for (size_t i = 0; i < n; i++) {
        goal->known[i] = message->progress[i];
        goal->known[i].writer = (struct str){0}; // of the message
        goal->is_confirmed[i] = false;
    }
}

bool goal_is_confirmed(const struct goal *goal)
{
    return goal->n_confirmed == goal->n_known;
}

struct message *goal_ask_again(const struct goal *goal, int64_t generation)
{
    struct message *message = message_probes(PROBES_GOAL, generation, goal->n_known);
    message->next_entry = goal->known_entry;
    for (size_t i = 0; i < goal->n_known; i++)
        if (!goal->is_confirmed[i])
            message->probes[message->n_probes++] = progress_check(&goal->known[i]);
    if (message->n_probes > 0)
        memcpy(message->probes[0].topic_id, goal->topic_id, TOPIC_ID_TEXT);
    return message;
}

void goal_begin_read(struct goal *goal)
{
    goal->n_reached = 0;
    goal->is_checked = true;
}

bool goal_is_read(struct goal *goal, const struct unit *unit)
{
    for (size_t *at = &goal->n_reached; *at < unit->n_spans; (*at)++)
        if (!has_reached(goal, unit->spans[*at].partition, unit->spans[*at].next))
            return false;
    return true;
}

int64_t goal_end(const struct goal *goal, int32_t partition)
{
    if (!goal_is_known(goal))
        return INT64_MAX;
    return partition >= goal->n ? INT64_MIN : goal->ranges[partition].high;
}

bool goal_moves(struct goal *goal, int64_t n_read)
{
    bool moves = n_read != goal->seen.n_read || goal->n_found != goal->seen.n_found ||
                 goal->known_entry != goal->seen.entry;
    goal->seen.n_read = n_read;
    goal->seen.n_found = goal->n_found;
    goal->seen.entry = goal->known_entry;
    return moves;
}

void goal_waits(struct goal *goal, const char *why)
{
    snprintf(goal->why, sizeof(goal->why), "%s", why);
}

void goal_explain(const struct goal *goal, struct buf *text)
{
    if (!goal->is_counted) {
        buf_text(text, "partitions");
        return;
    }
    for (int32_t i = 0; i < goal->n; i++) {
        if (goal->ranges[i].high >= 0)
            continue;
        buf_printf(text, "where partition %d ends", (int)i);
        return;
    }
    buf_printf(text, "partition %d, which was at %lld then and stands at %lld",
               (int)goal->behind, (long long)goal->ranges[goal->behind].high,
               (long long)goal->behind_next);
}

void goal_release(struct goal *goal)
{
    free(goal->known);
    free(goal->is_confirmed);
    free(goal->ranges);
    *goal = (struct goal){0};
}
