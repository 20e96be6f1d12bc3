// SPDX-License-Identifier: Apache-2.0
// Finds the first of 0, 1, 2, … that is not there, asking about one at a time: doubles
// (0, 1, 3, 7, …) until one is absent, then halves. Needs that nothing is there after the
// first absent one. Zero is not a valid start; see bisect_start.
#ifndef LOG_BISECT_H
#define LOG_BISECT_H

#include <stdbool.h>
#include <stdint.h>

struct bisect {
    int64_t present; // highest one known to be there, -1: none
    int64_t absent;  // lowest one known not to be there, -1: unknown
};

// `absent`: one that is surely not there, or -1.
static inline struct bisect bisect_start(int64_t absent)
{
    return (struct bisect){-1, absent};
}

// When done, `absent` is the answer.
static inline bool bisect_is_done(const struct bisect *bisect)
{
    return bisect->absent == bisect->present + 1;
}

static inline int64_t bisect_question(const struct bisect *bisect)
{
    if (bisect->absent < 0)
        return bisect->present < 0 ? 0 : 2 * bisect->present + 1;
    return bisect->present + (bisect->absent - bisect->present) / 2;
}

static inline void bisect_answer(struct bisect *bisect, bool is_there)
{
    int64_t index = bisect_question(bisect);
    if (is_there)
        bisect->present = index;
    else
        bisect->absent = index;
}

#endif
