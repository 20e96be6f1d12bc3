// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "work/coordinator_inside.h"

static struct board *board_of(const struct coordinator *coordinator)
{
    return &coordinator->parts.status->board;
}

static struct board_mark mark_of(const struct record_mark *last)
{
    return (struct board_mark){last->offset, last->time_ms};
}

void coordinator_show_phase(struct coordinator *coordinator, enum board_phase phase)
{
    struct env *env = coordinator->parts.env;
    board_step(board_of(coordinator),
               phase == BOARD_STOPPED ? 0 : coordinator_ms(coordinator));
    if (phase == coordinator->shown)
        return;
    coordinator->shown = phase;
    board_phase(board_of(coordinator), phase, env->ops->wall_ms(env));
}

void coordinator_show_claim(struct coordinator *coordinator)
{
    const struct log_state *state = committer_state(coordinator->committer);
    struct board_partition *ours =
        mem_array(coordinator->n_partitions + 1, sizeof(*ours));
    size_t n = 0;
    for (size_t i = 0; i < coordinator->n_partitions; i++) {
        const struct log_partition *at = log_state_find(state, (int32_t)i);
        if (at != NULL && !coordinator->partitions[i].is_away)
            ours[n++] = (struct board_partition){.partition = (int32_t)i,
                                                 .read = at->next,
                                                 .committed_time_ms = at->last.time_ms};
    }
    board_watch(board_of(coordinator), true);
    board_assign(board_of(coordinator), ours, n);
    free(ours);
    for (size_t i = 0; i < state->n_partitions; i++) {
        const struct log_partition *at = &state->partitions[i];
        board_committed(board_of(coordinator), at->partition, mark_of(&at->last),
                        at->next);
    }
}

void coordinator_show_unit(struct coordinator *coordinator, const struct unit *unit)
{
    struct board *board = board_of(coordinator);
    struct board_batch whole = {.partition = -1,
                                .n_rows = unit->rows,
                                .n_records[OUTCOME_MATCHED] = unit->matched,
                                .n_records[OUTCOME_UNMATCHED] = unit->unmatched,
                                .n_records[OUTCOME_FILTERED] = unit->filtered};
    for (size_t i = 0; i < unit->n_files; i++)
        whole.n_bytes += unit->files[i].kind == FILE_DATA ? unit->files[i].bytes : 0;
    board_batch(board, &whole);
    for (size_t i = 0; i < unit->n_spans; i++) {
        const struct span *span = &unit->spans[i];
        board_batch(board, &(struct board_batch){
                               .n_records[OUTCOME_REJECTED] = span->rejected,
                               .n_records[OUTCOME_IGNORED] = span->ignored,
                               .partition = span->partition,
                               .first = {-1, -1},
                               .last = mark_of(&span->last),
                               .next = span->next,
                           });
        board_committed(board, span->partition, mark_of(&span->last), span->next);
    }
}

// The age of the oldest record that waits: it is looked at again only after a commit.
void coordinator_show_end(struct coordinator *coordinator, struct coordinated *at)
{
    struct topic *topic = coordinator->parts.topic;
    const struct log_state *state = committer_state(coordinator->committer);
    const struct log_partition *known = log_state_find(state, at->partition);
    struct record record;
    struct err ignored;
    if (known == NULL)
        return;
    if (coordinator->parts.is_shown && at->high > known->next &&
        at->unread_at != known->next) {
        at->unread_at = known->next;
        at->unread_ms = topic->ops->fetch(topic, at->partition, known->next, &record,
                                          &ignored) == ST_OK
                            ? record.time_ms
                            : -1;
    }
    struct board_mark unread = {-1, -1};
    if (at->unread_at == known->next)
        unread = (struct board_mark){known->next, at->unread_ms};
    board_end(board_of(coordinator), at->partition, at->high, unread);
}
