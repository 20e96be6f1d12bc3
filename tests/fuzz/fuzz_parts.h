// SPDX-License-Identifier: Apache-2.0
// For fuzz targets: what they define, and an input in several parts.
#ifndef TESTS_FUZZ_PARTS_H
#define TESTS_FUZZ_PARTS_H

#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"

// What an input may cost: so much, and so much more for each of its bytes. Counted, not
// timed (budget.c): the same on every machine.
struct fuzz_budget {
    uint64_t steps, steps_a_byte; // branches of our own code that are taken
    uint64_t bytes, bytes_a_byte; // allocated in sum, by libraries too
    uint64_t held, held_a_byte;   // allocated at once
};

// Each target defines these two.
extern const struct fuzz_budget fuzz_budget;
void fuzz_input(const uint8_t *data, size_t size);

// More for this input, where what it may cost follows from its parts.
void fuzz_allow(uint64_t n_steps, uint64_t n_bytes);

// A copy of exactly those bytes, so that a read past the end is seen; free it.
static inline struct str fuzz_copy(struct str bytes)
{
    char *copy = malloc(bytes.n ? bytes.n : 1);
    if (bytes.n)
        memcpy(copy, bytes.p, bytes.n);
    return (struct str){copy, bytes.n};
}

// What stands before the next zero byte, as fuzz_copy gives it; *rest goes on behind it.
static inline struct str fuzz_part(struct str *rest)
{
    return fuzz_copy(str_cut(rest, '\0'));
}

// The next byte of *rest, which goes on behind it; 0 at its end.
static inline unsigned fuzz_byte(struct str *rest)
{
    if (rest->n == 0)
        return 0;
    unsigned byte = (unsigned char)*rest->p;
    *rest = (struct str){rest->p + 1, rest->n - 1};
    return byte;
}

#endif
