// SPDX-License-Identifier: Apache-2.0
#include "status/history.h"

#include <string.h>

static struct history_sample sample_of(const struct board_view *view,
                                       int64_t monotonic_ms, int64_t wall_ms)
{
    struct history_sample sample = {
        .monotonic_ms = monotonic_ms,
        .wall_ms = wall_ms,
        .n_rows = view->n_rows,
        .n_matched = view->n_records[OUTCOME_MATCHED],
        .n_unmatched = view->n_records[OUTCOME_UNMATCHED],
        .n_rejected = view->n_records[OUTCOME_REJECTED],
    };
    for (size_t i = 0; i < OUTCOMES_N; i++)
        sample.n_read += view->n_records[i];
    return sample;
}

static double rate(int64_t before, int64_t after, int64_t ms)
{
    return ms > 0 ? (double)(after - before) * 1000 / (double)ms : 0;
}

static void add_point(struct history *history, const struct board_view *view,
                      const struct history_sample *now)
{
    const struct history_sample *before = &history->at;
    struct board_lag lag = board_lag(view, now->wall_ms);
    int64_t ms = now->monotonic_ms - before->monotonic_ms;
    size_t at = (history->first + history->n) % HISTORY_POINTS;
    history->points[at] = (struct history_point){
        .wall_ms = now->wall_ms,
        .records_per_second = rate(before->n_read, now->n_read, ms),
        .rows_per_second = rate(before->n_rows, now->n_rows, ms),
        .lag_ms = lag.ms,
        .lag_records = lag.n_records,
        .n_matched = now->n_matched - before->n_matched,
        .n_unmatched = now->n_unmatched - before->n_unmatched,
        .n_rejected = now->n_rejected - before->n_rejected,
    };
    if (history->n < HISTORY_POINTS)
        history->n++;
    else
        history->first = (history->first + 1) % HISTORY_POINTS;
}

static void add_recent(struct history *history, const struct history_sample *now)
{
    size_t n = history->n_recent;
    if (n > 0 &&
        now->monotonic_ms - history->recent[n - 1].monotonic_ms < HISTORY_RECENT_MS)
        return;
    if (n == HISTORY_RECENT) {
        n--;
        memmove(history->recent, history->recent + 1, n * sizeof(*history->recent));
    }
    history->recent[n] = *now;
    history->n_recent = n + 1;
}

void history_sample(struct history *history, const struct board_view *view,
                    int64_t monotonic_ms, int64_t wall_ms)
{
    struct history_sample now = sample_of(view, monotonic_ms, wall_ms);
    add_recent(history, &now);
    if (history->has_begun && monotonic_ms - history->at.monotonic_ms < HISTORY_STEP_MS)
        return;
    if (history->has_begun)
        add_point(history, view, &now);
    else // what was read before the first look is news, too
        now = (struct history_sample){.monotonic_ms = monotonic_ms, .wall_ms = wall_ms};
    history->has_begun = true;
    history->at = now;
}

const struct history_point *history_point(const struct history *history, size_t i)
{
    return &history->points[(history->first + i) % HISTORY_POINTS];
}

struct history_rates history_rates(const struct history *history)
{
    if (history->n_recent < 2)
        return (struct history_rates){0};
    const struct history_sample *first = &history->recent[0];
    const struct history_sample *last = &history->recent[history->n_recent - 1];
    int64_t ms = last->monotonic_ms - first->monotonic_ms;
    return (struct history_rates){rate(first->n_read, last->n_read, ms),
                                  rate(first->n_rows, last->n_rows, ms)};
}
