// SPDX-License-Identifier: Apache-2.0
// What share of the last 10,000 records counted, as bad ones, say. Zero is a valid start:
// none seen.
#ifndef WORK_SHARE_WINDOW_H
#define WORK_SHARE_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SHARE_WINDOW = 10000,
    SHARE_SEEN_MIN = 100 // as if so many had been seen, until the end
};

struct share_window {
    uint8_t counts[SHARE_WINDOW]; // a ring
    size_t at;
    size_t n_counted; // of the n_seen
    size_t n_seen;    // at most SHARE_WINDOW
};

void share_window_add(struct share_window *window, size_t n_others, size_t n_counted);
// Whether more than so many percent of what was seen counted. The first few records do
// not make a share, unless no more will come.
bool share_window_exceeds(const struct share_window *window, int64_t percent,
                          bool is_end);

#endif
