// SPDX-License-Identifier: Apache-2.0
// Up to 8 bytes as one number, the first one lowest; and bytes compared by such.
//
// From loads that overlap: a copy of n bytes to a word is a call, and the word would be
// waited for (stores are not forwarded). Never reads outside of the bytes it was given.
#ifndef BASE_WORD_H
#define BASE_WORD_H

#include "base/str.h"

enum {
    WORD_BYTES = 8
};

static inline uint64_t word_load(const char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof(word));
    return word;
}

// At most 8 bytes, zeros behind them.
static inline uint64_t word_load_some(const char *p, size_t n)
{
    if (n == WORD_BYTES)
        return word_load(p);
    if (n >= 4) {
        uint32_t front, back;
        memcpy(&front, p, sizeof(front));
        memcpy(&back, p + n - sizeof(back), sizeof(back));
        return front | (uint64_t)back << 8 * (n - sizeof(back));
    }
    if (n == 0)
        return 0;
    const unsigned char *bytes = (const unsigned char *)p;
    return bytes[0] | (uint64_t)bytes[n / 2] << 8 * (n / 2) |
           (uint64_t)bytes[n - 1] << 8 * (n - 1);
}

// As memcpy, without a call for texts of a word or two.
static inline void word_copy(char *to, const char *from, size_t n)
{
    if (n > 2 * WORD_BYTES) {
        memcpy(to, from, n);
    } else if (n >= WORD_BYTES) {
        uint64_t front = word_load(from), back = word_load(from + n - WORD_BYTES);
        memcpy(to, &front, sizeof(front));
        memcpy(to + n - sizeof(back), &back, sizeof(back));
    } else if (n >= 4) {
        uint32_t front, back;
        memcpy(&front, from, sizeof(front));
        memcpy(&back, from + n - sizeof(back), sizeof(back));
        memcpy(to, &front, sizeof(front));
        memcpy(to + n - sizeof(back), &back, sizeof(back));
    } else if (n > 0) {
        char front = from[0], middle = from[n / 2], back = from[n - 1];
        to[0] = front;
        to[n / 2] = middle;
        to[n - 1] = back;
    }
}

// As str_eq, without a call: for texts of a few words.
static inline bool word_str_eq(struct str a, struct str b)
{
    if (a.n != b.n)
        return false;
    if (a.n < WORD_BYTES)
        return word_load_some(a.p, a.n) == word_load_some(b.p, b.n);
    for (size_t i = 0; i + WORD_BYTES < a.n; i += WORD_BYTES)
        if (word_load(a.p + i) != word_load(b.p + i))
            return false;
    size_t last = a.n - WORD_BYTES;
    return word_load(a.p + last) == word_load(b.p + last);
}

#endif
