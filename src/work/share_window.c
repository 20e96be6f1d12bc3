// SPDX-License-Identifier: Apache-2.0
#include "work/share_window.h"

#include <string.h>

static void add(struct share_window *window, size_t n, uint8_t counts)
{
    while (n--) {
        window->n_counted += (size_t)counts - window->counts[window->at];
        window->counts[window->at] = counts;
        window->at = (window->at + 1) % SHARE_WINDOW;
    }
}

void share_window_add(struct share_window *window, size_t n_others, size_t n_counted)
{
    size_t n = n_others + n_counted;
    if (n > SHARE_WINDOW) { // in what order they came is not told
        n_counted = n_counted * SHARE_WINDOW / n;
        n_others = SHARE_WINDOW - n_counted;
        n = SHARE_WINDOW;
    }
    window->n_seen += n;
    if (window->n_seen > SHARE_WINDOW)
        window->n_seen = SHARE_WINDOW;
    if (window->n_counted || n_counted) { // else none counts, wherever the ring stands
        add(window, n_others, 0);
        add(window, n_counted, 1);
    }
}

bool share_window_exceeds(const struct share_window *window, int64_t percent, bool is_end)
{
    size_t n = window->n_seen;
    if (n < SHARE_SEEN_MIN && !is_end)
        n = SHARE_SEEN_MIN;
    return window->n_counted * 100 > (size_t)percent * n;
}
