// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "work/coordinator_inside.h"
#include "work/job_check.h"

enum {
    CLAIMS_MAX = 5 // in a row
};

// Where a partition starts that no entry names: by the option `start` where there is no
// log yet, else it appeared later.
static enum status find_start(struct coordinator *coordinator, int32_t partition,
                              bool is_first, int64_t *ret, struct err *err)
{
    const struct job_settings *settings = &coordinator->parts.job->settings;
    struct topic *topic = coordinator->parts.topic;
    struct topic_range range;
    if (is_first)
        return claim_origin(settings, topic, partition, ret, err);
    TRY(topic->ops->range(topic, partition, &range, err));
    *ret = range.low;
    return ST_OK;
}

static enum status look_at_partition(struct coordinator *coordinator, int32_t partition,
                                     struct err *err)
{
    const struct coordinator_parts *parts = &coordinator->parts;
    const struct log_state *state = committer_state(coordinator->committer);
    const struct log_partition *known = log_state_find(state, partition);
    struct coordinated *at = &coordinator->partitions[partition];
    struct topic_range range;
    at->partition = partition;
    at->is_away = false;
    if (known != NULL) {
        TRY(job_check_partition(state, known, parts->job, parts->topic, err));
        at->planned = known->next;
    } else {
        TRY(find_start(coordinator, partition, state->next == 0, &at->planned, err));
    }
    TRY(parts->topic->ops->range(parts->topic, partition, &range, err));
    at->high = range.high;
    if (!coordinator->has_goal)
        at->goal = range.high;
    return ST_OK;
}

// A partition that does not answer is left out, where there is a log that knows it and
// no end to be found.
static enum status look_if_there(struct coordinator *coordinator, int32_t partition,
                                 struct err *err)
{
    const struct log_state *state = committer_state(coordinator->committer);
    enum status rc = look_at_partition(coordinator, partition, err);
    if (rc != ST_RETRY || state->next == 0 || coordinator->parts.job->settings.once)
        return rc;
    log_warn("%s; the others are claimed without it", err->text);
    struct coordinated *at = &coordinator->partitions[partition];
    at->is_away = true;
    at->planned = at->high = at->goal = 0;
    return ST_OK;
}

static enum status look_at_topic(struct coordinator *coordinator, struct err *err)
{
    struct topic *topic = coordinator->parts.topic;
    int32_t n;
    TRY(topic->ops->count(topic, &n, err));
    size_t before = coordinator->n_partitions;
    coordinator->partitions = mem_resize(coordinator->partitions, (size_t)n + 1,
                                         sizeof(*coordinator->partitions));
    for (size_t i = before; i < (size_t)n; i++)
        coordinator->partitions[i] = (struct coordinated){.unread_at = -1};
    coordinator->n_partitions = (size_t)n;
    for (int32_t p = 0; p < n; p++)
        TRY(look_if_there(coordinator, p, err));
    coordinator->has_goal = true;
    coordinator->has_new = false;
    return ST_OK;
}

static enum status try_claim(struct coordinator *coordinator, struct err *err)
{
    AUTO(arena_release) struct arena arena = {0};
    struct committer *committer = coordinator->committer;
    TRY(committer_recover(committer, err));
    TRY(coordinator_check_claim(coordinator, err));
    TRY(look_at_topic(coordinator, err));
    size_t n = 0;
    struct stream_start *starts =
        arena_array(&arena, coordinator->n_partitions, sizeof(*starts));
    for (size_t i = 0; i < coordinator->n_partitions; i++)
        if (!coordinator->partitions[i].is_away)
            starts[n++] = (struct stream_start){
                .partition = (int32_t)i, .offset = coordinator->partitions[i].planned};
    if (n == 0)
        return err_set(err, ST_RETRY, "topic '%.*s': no partition answers",
                       STR_ARGS(coordinator->parts.topic->name));
    return committer_claim(committer,
                           &(struct claim){
                               .starts = starts,
                               .n_starts = n,
                               .origins = starts,
                               .n_origins = n,
                               .base = committer_state(committer)->next,
                           },
                           err);
}

static enum status claimed_as_well(enum status rc, int n_conflicts, struct err *err)
{
    return err_set(err, rc,
                   "another writer claimed partitions %d times meanwhile: a job has one "
                   "coordinator, or workers, at a time; stop the other",
                   n_conflicts);
}

static void note_writers(struct coordinator *coordinator)
{
    const struct log_state *state = committer_state(coordinator->committer);
    for (size_t i = 0; i < coordinator->n_partitions; i++) {
        struct coordinated *at = &coordinator->partitions[i];
        const struct log_partition *known = log_state_find(state, at->partition);
        snprintf(at->writer, sizeof(at->writer), "%s",
                 known != NULL ? known->writer : "");
    }
}

enum status coordinator_claim(struct coordinator *coordinator, struct err *err)
{
    int64_t began_ms = coordinator_ms(coordinator), pause_ms = 0;
    int n_conflicts = 0;
    enum status rc;
    coordinator_show_phase(coordinator, BOARD_ASSIGNING);
    do {
        rc = try_claim(coordinator, err);
        if (rc == ST_CONFLICT) {
            n_conflicts++;
            rc = claimed_as_well(n_conflicts < CLAIMS_MAX ? ST_RETRY : ST_FAIL,
                                 n_conflicts, err);
        }
    } while (coordinator_again(coordinator, began_ms, &pause_ms, &rc, err));
    order_book_begin(&coordinator->book,
                     committer_state(coordinator->committer)->next - 1);
    coordinator->claimed_ms = coordinator_ms(coordinator);
    if (rc != ST_OK)
        return rc;
    note_writers(coordinator);
    coordinator->has_claimed = true;
    coordinator_show_claim(coordinator);
    return ST_OK;
}

enum status coordinator_check_claim(struct coordinator *coordinator, struct err *err)
{
    const struct log_state *state = committer_state(coordinator->committer);
    for (size_t i = 0; coordinator->has_claimed && i < coordinator->n_partitions; i++) {
        const struct log_partition *at = log_state_find(state, (int32_t)i);
        if (at == NULL || log_state_is_claimed_by(at, coordinator->partitions[i].writer))
            continue;
        coordinator->is_superseded = true;
        return err_set(err, ST_FAIL,
                       "another writer (%s) has claimed partition %zu, and the work "
                       "for it is dropped here: a job has one coordinator, or "
                       "workers, at a time; stop the other, then start again",
                       at->writer, i);
    }
    return ST_OK;
}
