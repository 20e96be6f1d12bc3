// SPDX-License-Identifier: Apache-2.0
#include "engine/goal.h"

#include <stdlib.h>

#include "engine/topic_check.h"

enum status goal_step(struct goal *goal, struct source *source, bool *ret_done,
                      struct err *err)
{
    *ret_done = goal->is_counted && goal->n_found == goal->n;
    if (*ret_done)
        return ST_OK;
    if (!goal->is_counted) {
        TRY(source->ops->count(source, &goal->n, err));
        goal->ranges = mem_array((size_t)goal->n + 1, sizeof(*goal->ranges));
        goal->is_counted = true;
        return ST_OK;
    }
    TRY(source->ops->range(source, goal->n_found, &goal->ranges[goal->n_found], err));
    goal->n_found++;
    return ST_OK;
}

bool goal_is_behind(const struct goal *goal, int32_t partition, int64_t next)
{
    return partition >= goal->n || next >= goal->ranges[partition].high;
}

// A partition that the log does not know is reached if there is nothing in it.
void goal_look(struct goal *goal, const struct progress *progress, size_t n)
{
    size_t at = 0;
    goal->is_reached = true;
    for (int32_t i = 0; i < goal->n; i++) {
        while (at < n && progress[at].partition < i)
            at++;
        bool is_known = at < n && progress[at].partition == i;
        int64_t next = is_known ? progress[at].next : goal->ranges[i].low;
        goal->is_reached &= goal_is_behind(goal, i, next);
    }
}

void goal_confirm(struct goal *goal, const struct progress *progress, size_t n)
{
    goal->known = mem_resize(goal->known, n + 1, sizeof(*goal->known));
    goal->n_known = n;
    goal->n_checked = 0;
    for (size_t i = 0; i < n; i++) {
        goal->known[i] = progress[i];
        goal->known[i].writer = (struct str){0}; // of the message
    }
}

enum status goal_confirm_step(struct goal *goal, struct source *source, bool *ret_done,
                              struct err *err)
{
    *ret_done = goal->n_checked == goal->n_known;
    if (*ret_done)
        return ST_OK;
    TRY(topic_check_partition(source, &goal->known[goal->n_checked], err));
    goal->n_checked++;
    return ST_OK;
}

void goal_release(struct goal *goal)
{
    free(goal->known);
    free(goal->ranges);
    *goal = (struct goal){0};
}
