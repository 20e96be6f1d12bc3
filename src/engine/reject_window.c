// SPDX-License-Identifier: Apache-2.0
#include "engine/reject_window.h"

#include <string.h>

static void add(struct reject_window *window, size_t n, uint8_t is_bad)
{
    if (n > REJECT_WINDOW)
        n = REJECT_WINDOW;
    while (n--) {
        window->n_bad += (size_t)is_bad - window->is_bad[window->at];
        window->is_bad[window->at] = is_bad;
        window->at = (window->at + 1) % REJECT_WINDOW;
    }
}

void reject_window_add(struct reject_window *window, size_t n_good, size_t n_bad)
{
    if (window->n_bad || n_bad) { // else all are good, wherever the ring stands
        add(window, n_good, 0);
        add(window, n_bad, 1);
    }
}
