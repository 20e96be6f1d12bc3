// SPDX-License-Identifier: Apache-2.0
// The most frequent of many keys, in bounded memory (space-saving, Metwally et al. 2005).
//
// What it holds is never missed while it is more than total / SKETCH_KEYS of all; a count
// is at most `over` too high. As long as there were no more than SKETCH_KEYS different
// keys, all is exact. Zero is a valid empty sketch; a copy is a copy. One thread.
#ifndef CORE_SKETCH_H
#define CORE_SKETCH_H

#include <stdint.h>

#include "base/str.h"

enum {
    SKETCH_KEYS = 32,
    SKETCH_KEY_BYTES = 64 // longer ones are kept as their beginning
};

struct sketch_item {
    uint64_t hash; // of the whole key
    int64_t count;
    int64_t over; // count is at most so much too high
    char key[SKETCH_KEY_BYTES];
    uint8_t n_key;
    bool is_cut;
};

struct sketch {
    struct sketch_item items[SKETCH_KEYS];
    size_t n;
    int64_t total;
};

// The key was seen `count` times more.
void sketch_add(struct sketch *sketch, struct str key, int64_t count);
// All of another sketch's item; its total is the caller's to add.
void sketch_add_item(struct sketch *sketch, const struct sketch_item *item);
// Puts the most frequent ones first, equal ones by key.
void sketch_sort(struct sketch *sketch);

#endif
