// SPDX-License-Identifier: Apache-2.0
// The end of a run --once: what was in the topic at its start, in all partitions, ours or
// not. It is reached when the log has it, whoever of the workers wrote that.
#ifndef ENGINE_GOAL_H
#define ENGINE_GOAL_H

#include "core/source.h"
#include "engine/log_entry.h"

struct goal {
    bool is_counted;
    struct source_range *ranges; // by partition
    int32_t n;
    int32_t n_found;
    bool is_reached;        // as of the last goal_look()
    struct progress *known; // where the log stands, to be checked
    size_t n_known, n_checked;
};

// One call of the source a step; may be made again after ST_RETRY.
enum status goal_step(struct goal *goal, struct source *source, bool *ret_done,
                      struct err *err);
// Looks where the log stands.
void goal_look(struct goal *goal, const struct progress *progress, size_t n);
// Reached before anything was read: is what the log has read still in the topic? One
// partition a step. ST_DATA: the topic was made anew or cut.
void goal_confirm(struct goal *goal, const struct progress *progress, size_t n);
enum status goal_confirm_step(struct goal *goal, struct source *source, bool *ret_done,
                              struct err *err);
// Whether one partition has been read far enough.
bool goal_is_behind(const struct goal *goal, int32_t partition, int64_t next);
void goal_release(struct goal *goal);

#endif
