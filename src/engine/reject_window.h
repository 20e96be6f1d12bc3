// SPDX-License-Identifier: Apache-2.0
// How many of the last 10,000 records were bad. Zero is a valid start: no bad ones.
#ifndef ENGINE_REJECT_WINDOW_H
#define ENGINE_REJECT_WINDOW_H

#include <stddef.h>
#include <stdint.h>

enum {
    REJECT_WINDOW = 10000
};

struct reject_window {
    uint8_t is_bad[REJECT_WINDOW]; // a ring
    size_t at;
    size_t n_bad;
};

void reject_window_add(struct reject_window *window, size_t n_good, size_t n_bad);

#endif
