// SPDX-License-Identifier: Apache-2.0
#include "engine/log_state.h"

struct snapshot log_state_snapshot(const struct log_state *state, struct arena *arena)
{
    struct snapshot snapshot = {
        .partitions = log_state_progress(state, arena),
        .n_partitions = state->n_partitions,
        .pending = arena_array(arena, state->n_pending, sizeof(int64_t)),
        .n_pending = state->n_pending,
        .writers = arena_array(arena, state->n_writers, sizeof(struct str)),
        .n_writers = state->n_writers,
    };
    for (size_t i = 0; i < state->n_pending; i++)
        snapshot.pending[i] = state->pending[i];
    for (size_t i = 0; i < state->n_writers; i++)
        snapshot.writers[i] = arena_str(arena, str_of(state->writers[i].uuid));
    return snapshot;
}
