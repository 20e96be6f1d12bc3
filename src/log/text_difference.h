// SPDX-License-Identifier: Apache-2.0
// Two texts compared line by line: which lines went, came and stayed. The fewest lines
// go and come, as far as the texts are of some thousands of lines that differ. Pure.
#ifndef LOG_TEXT_DIFFERENCE_H
#define LOG_TEXT_DIFFERENCE_H

#include "base/arena.h"

enum line_fate {
    LINE_STAYED,
    LINE_GONE,
    LINE_NEW
};

struct text_line {
    enum line_fate fate;
    struct str text; // of the text it is in, without its end
};

struct text_difference {
    struct text_line *lines; // in order; of a change those that are gone first
    size_t n;
    size_t n_gone, n_new;
};

// Borrows from both; the lines are in the arena.
struct text_difference text_difference(struct str before, struct str after,
                                       struct arena *arena);

#endif
