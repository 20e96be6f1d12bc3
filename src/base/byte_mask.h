// SPDX-License-Identifier: Apache-2.0
// Finds a few special bytes among many: 64 bytes become the 64 bits of a word.
//
// With SSE2 (every x86-64) 16 bytes at a time, else byte by byte. Never reads outside of
// the bytes it was given. Measured on lines of 37 bytes with 5 fields: 1.4 GB/s with
// SSE2, 1.0 GB/s byte by byte; AVX2 gains nothing more on lines that short.
#ifndef BASE_BYTE_MASK_H
#define BASE_BYTE_MASK_H

#include "base/word.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
    BYTE_MASK_MAX = 64 // bytes of one word
};

// The four bytes to look for; the same one may stand twice.
struct byte_set {
    char a, b, c, d;
};

#ifdef __SSE2__

static inline uint32_t byte_mask_16(__m128i v, struct byte_set set)
{
    __m128i a = _mm_cmpeq_epi8(v, _mm_set1_epi8(set.a));
    __m128i b = _mm_cmpeq_epi8(v, _mm_set1_epi8(set.b));
    __m128i c = _mm_cmpeq_epi8(v, _mm_set1_epi8(set.c));
    __m128i d = _mm_cmpeq_epi8(v, _mm_set1_epi8(set.d));
    __m128i any = _mm_or_si128(_mm_or_si128(a, b), _mm_or_si128(c, d));
    return (uint32_t)_mm_movemask_epi8(any);
}

// A bit for each byte that is NUL or not ASCII, i.e. below 1 as a signed number.
static inline uint32_t byte_mask_odd_16(__m128i v)
{
    return (uint32_t)_mm_movemask_epi8(_mm_cmplt_epi8(v, _mm_set1_epi8(1)));
}

static inline __m128i byte_mask_load(const char *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

// Fewer than 16 bytes, zeros behind them.
static inline __m128i byte_mask_load_short(const char *p, size_t n)
{
    uint64_t low, high = 0;
    if (n >= 8) {
        memcpy(&low, p, sizeof(low));
        memcpy(&high, p + n - sizeof(high), sizeof(high));
        high = high >> 8 * (15 - n) >> 8; // 8 * (16 - n) may be 64
    } else {
        low = word_load_some(p, n);
    }
    return _mm_set_epi64x((long long)high, (long long)low);
}

static inline uint64_t byte_mask_short(const char *p, size_t n, struct byte_set set,
                                       bool *plain)
{
    __m128i v = byte_mask_load_short(p, n);
    uint32_t inside = (UINT32_C(1) << n) - 1;
    *plain = *plain && (byte_mask_odd_16(v) & inside) == 0;
    return byte_mask_16(v, set) & inside;
}

// A byte of ones for each that is a quote, or no printable ASCII: below a blank as a
// signed number.
static inline __m128i byte_mask_quotes(__m128i v)
{
    return _mm_or_si128(_mm_cmplt_epi8(v, _mm_set1_epi8(' ')),
                        _mm_cmpeq_epi8(v, _mm_set1_epi8('"')));
}

#endif

// Bit i: byte i is in the set; n <= 64. Clears *plain when one of the bytes is NUL or not
// ASCII, else leaves it alone.
static inline uint64_t byte_mask(const char *p, size_t n, struct byte_set set,
                                 bool *plain)
{
    uint64_t mask = 0;
#ifdef __SSE2__
    if (n < 16)
        return byte_mask_short(p, n, set, plain);
    uint32_t odd = 0;
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        __m128i v = byte_mask_load(p + i);
        odd |= byte_mask_odd_16(v);
        mask |= (uint64_t)byte_mask_16(v, set) << i;
    }
    if (i < n) { // the last 16 bytes, some of them for the second time
        __m128i v = byte_mask_load(p + n - 16);
        odd |= byte_mask_odd_16(v);
        mask |= (uint64_t)byte_mask_16(v, set) << (n - 16);
    }
    *plain = *plain && odd == 0;
#else
    for (size_t i = 0; i < n; i++) {
        char c = p[i];
        bool hit = c == set.a || c == set.b || c == set.c || c == set.d;
        mask |= (uint64_t)hit << i;
        *plain = *plain && (signed char)c > 0;
    }
#endif
    return mask;
}

// Bit i: byte i is `c`; n <= 64. Clears *printable when one of the bytes is a quote or no
// printable ASCII, else leaves it alone: half the work of byte_mask.
static inline uint64_t byte_mask_one(const char *p, size_t n, char c, bool *printable)
{
    uint64_t mask = 0;
#ifdef __SSE2__
    const __m128i wanted = _mm_set1_epi8(c);
    if (n < 16) {
        __m128i v = byte_mask_load_short(p, n);
        uint32_t inside = (UINT32_C(1) << n) - 1;
        uint32_t odd = (uint32_t)_mm_movemask_epi8(byte_mask_quotes(v)) & inside;
        *printable = *printable && odd == 0;
        return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, wanted)) & inside;
    }
    __m128i odd = _mm_setzero_si128();
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        __m128i v = byte_mask_load(p + i);
        odd = _mm_or_si128(odd, byte_mask_quotes(v));
        mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, wanted)) << i;
    }
    if (i < n) { // the last 16 bytes, some of them for the second time
        __m128i v = byte_mask_load(p + n - 16);
        odd = _mm_or_si128(odd, byte_mask_quotes(v));
        mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, wanted))
                << (n - 16);
    }
    *printable = *printable && _mm_movemask_epi8(odd) == 0;
#else
    for (size_t i = 0; i < n; i++) {
        mask |= (uint64_t)(p[i] == c) << i;
        *printable = *printable && (signed char)p[i] >= ' ' && p[i] != '"';
    }
#endif
    return mask;
}

#endif
