// SPDX-License-Identifier: Apache-2.0
// The last hour in memory: what the board said every ten seconds, and the last seconds
// for rates. One thread.
#ifndef STATUS_HISTORY_H
#define STATUS_HISTORY_H

#include "status/board.h"

enum {
    HISTORY_POINTS = 360,
    HISTORY_STEP_MS = 10000,
    HISTORY_RECENT = 6,
    HISTORY_RECENT_MS = 2000 // between two of them
};

struct history_sample {
    int64_t monotonic_ms, wall_ms;
    int64_t n_read, n_rows, n_matched, n_unmatched, n_rejected;
};

// Of the ten seconds before.
struct history_point {
    int64_t wall_ms; // at its end
    double records_per_second, rows_per_second;
    int64_t lag_ms, lag_records; // at its end
    int64_t n_matched, n_unmatched, n_rejected;
};

struct history {
    struct history_point points[HISTORY_POINTS]; // a ring
    size_t first, n;
    struct history_sample at; // where the next point begins
    bool has_begun;
    struct history_sample recent[HISTORY_RECENT]; // the newest last
    size_t n_recent;
};

// To be called once a second or more often.
void history_sample(struct history *history, const struct board_view *view,
                    int64_t monotonic_ms, int64_t wall_ms);
// The i-th oldest.
const struct history_point *history_point(const struct history *history, size_t i);

struct history_rates {
    double records_per_second, rows_per_second;
};
struct history_rates history_rates(const struct history *history);

#endif
