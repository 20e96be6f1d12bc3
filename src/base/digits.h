// SPDX-License-Identifier: Apache-2.0
// Numbers of digits alone, eight digits at a time: with a few multiplications where digit
// by digit each takes one and a jump. The plain twin is that loop, in
// tests/unit/test_base.c.
#ifndef BASE_DIGITS_H
#define BASE_DIGITS_H

#include "base/word.h"

enum {
    DIGITS_WORD = WORD_BYTES,
    DIGITS_SHORT = 3, // that are read one by one
    DIGITS_MAX = 18   // that always fit in 64 bits
};

// 1 to 8 bytes, the first of them lowest, behind '0's.
static inline uint64_t digits_load(const char *p, size_t n)
{
    if (n == DIGITS_WORD)
        return word_load(p);
    uint64_t word = word_load_some(p, n);
    return word << 8 * (DIGITS_WORD - n) | UINT64_C(0x3030303030303030) >> 8 * n;
}

// Eight of them. False: one is none.
static inline bool digits_word(uint64_t word, uint64_t *ret)
{
    const uint64_t tens = UINT64_C(0x000000FF000000FF);
    uint64_t high = UINT64_C(0xF0F0F0F0F0F0F0F0), zeros = UINT64_C(0x3030303030303030);
    if ((word & high) != zeros || ((word + UINT64_C(0x0606060606060606)) & high) != zeros)
        return false;
    word -= zeros;
    word = word * 10 + (word >> 8); // each second byte: two digits
    *ret = ((word & tens) * (100 + (UINT64_C(1000000) << 32)) +
            (word >> 16 & tens) * (1 + (UINT64_C(10000) << 32))) >>
           32;
    return true;
}

// 1 to DIGITS_MAX bytes. False: one of them is no digit.
static inline bool digits_read(const char *p, size_t n, int64_t *ret)
{
    uint64_t number = 0, word;
    if (n <= DIGITS_SHORT || n > 2 * DIGITS_WORD) {
        for (size_t i = 0; i < n; i++) {
            unsigned digit = (unsigned char)p[i] - (unsigned)'0';
            if (digit > 9)
                return false;
            number = number * 10 + digit;
        }
        *ret = (int64_t)number;
        return true;
    }
    if (n > DIGITS_WORD) {
        if (!digits_word(digits_load(p, n - DIGITS_WORD), &number))
            return false;
        p += n - DIGITS_WORD;
        n = DIGITS_WORD;
    }
    if (!digits_word(digits_load(p, n), &word))
        return false;
    *ret = (int64_t)(number * 100000000 + word);
    return true;
}

#endif
