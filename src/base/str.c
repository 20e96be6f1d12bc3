// SPDX-License-Identifier: Apache-2.0
#include "base/str.h"

int str_compare(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;
    return order ? order : (a.n > b.n) - (a.n < b.n);
}

bool str_starts_with(struct str s, const char *prefix)
{
    size_t n = strlen(prefix);
    return s.n >= n && memcmp(s.p, prefix, n) == 0;
}

bool str_ends_with(struct str s, const char *suffix)
{
    size_t n = strlen(suffix);
    return s.n >= n && memcmp(s.p + s.n - n, suffix, n) == 0;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool str_eq_nocase(struct str a, struct str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
    while (s.n && is_space(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n && is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

struct str str_cut(struct str *rest, char sep)
{
    struct str head = *rest;
    const char *at = rest->n ? memchr(rest->p, sep, rest->n) : NULL;
    if (at == NULL) {
        *rest = (struct str){0};
        return head;
    }
    head.n = (size_t)(at - rest->p);
    *rest = (struct str){at + 1, rest->n - head.n - 1};
    return head;
}

bool str_to_i64(struct str s, int64_t *ret)
{
    bool negative = s.n && s.p[0] == '-';
    size_t i = s.n && (s.p[0] == '-' || s.p[0] == '+') ? 1 : 0;
    if (i == s.n)
        return false;
    int64_t value = 0; // kept negative: the negative range is the larger one
    for (; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, s.p[i] - '0', &value))
            return false;
    }
    if (!negative && value == INT64_MIN)
        return false;
    *ret = negative ? value : -value;
    return true;
}

// Length of the well-formed sequence at p, 0 when there is none (Unicode 15, table 3-7).
static size_t utf8_sequence(const unsigned char *p, size_t n)
{
    unsigned char a = p[0];
    if (a < 0x80)
        return a != 0;
    size_t length = a >= 0xF0 ? 4 : a >= 0xE0 ? 3 : 2;
    if (a < 0xC2 || a > 0xF4 || n < length)
        return 0;
    unsigned char low = a == 0xE0 ? 0xA0 : a == 0xF0 ? 0x90 : 0x80;
    unsigned char high = a == 0xED ? 0x9F : a == 0xF4 ? 0x8F : 0xBF;
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if (p[i] < 0x80 || p[i] > 0xBF)
            return 0;
    return length;
}

// ASCII letters only: no high bit set, no zero byte. False also for some that are.
static inline bool is_ascii_word(uint64_t word)
{
    return ((word | (word - 0x0101010101010101U)) & 0x8080808080808080U) == 0;
}

static inline uint64_t word_at(const unsigned char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof(word));
    return word;
}

// Of up to seven bytes, as a word of ASCII letters where they are.
static inline uint64_t short_word(const unsigned char *p, size_t n)
{
    uint32_t low, high;
    if (n == 0)
        return 0x2020202020202020U;
    if (n < 4)
        return 0x2020202020000000U | (uint64_t)p[0] | (uint64_t)p[n / 2] << 8 |
               (uint64_t)p[n - 1] << 16;
    memcpy(&low, p, 4);
    memcpy(&high, p + n - 4, 4);
    return low | (uint64_t)high << 32;
}

// Eight bytes at a time; the last eight may overlap those before.
static inline bool is_ascii(const unsigned char *p, size_t n)
{
    if (n < 8)
        return is_ascii_word(short_word(p, n));
    for (size_t i = 0; i + 8 < n; i += 8)
        if (!is_ascii_word(word_at(p + i)))
            return false;
    return is_ascii_word(word_at(p + n - 8));
}

size_t str_utf8_valid(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    if (LIKELY(is_ascii(p, s.n)))
        return s.n;
    size_t i = 0;
    while (i < s.n) {
        while (i + 8 <= s.n && is_ascii_word(word_at(p + i)))
            i += 8;
        if (i == s.n)
            break;
        size_t length = utf8_sequence(p + i, s.n - i);
        if (length == 0)
            return i;
        i += length;
    }
    return i;
}

static uint32_t utf8_decode(const unsigned char *p, size_t length)
{
    static const unsigned char mask[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t code = p[0] & mask[length];
    for (size_t i = 1; i < length; i++)
        code = code << 6 | (p[i] & 0x3F);
    return code;
}

static size_t code_width(uint32_t code)
{
    bool combining = (code >= 0x300 && code <= 0x36F) ||
                     (code >= 0x200B && code <= 0x200F) ||
                     (code >= 0xFE00 && code <= 0xFE0F);
    if (combining)
        return 0;
    bool wide =
        (code >= 0x1100 && code <= 0x115F) || (code >= 0x2E80 && code <= 0xA4CF) ||
        (code >= 0xAC00 && code <= 0xD7A3) || (code >= 0xF900 && code <= 0xFAFF) ||
        (code >= 0xFE30 && code <= 0xFE6F) || (code >= 0xFF00 && code <= 0xFF60) ||
        (code >= 0x1F300 && code <= 0x1FAFF) || (code >= 0x20000 && code <= 0x3FFFD);
    return wide ? 2 : 1;
}

size_t str_display_width(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t width = 0;
    for (size_t i = 0; i < s.n;) {
        size_t length = utf8_sequence(p + i, s.n - i);
        width += length ? code_width(utf8_decode(p + i, length)) : 1;
        i += length ? length : 1;
    }
    return width;
}

enum {
    DISTANCE_MAX = 64
};

// How many single-letter edits make a into b, at most `limit` + 1.
static size_t str_distance(struct str a, struct str b, size_t limit)
{
    if (a.n > DISTANCE_MAX || b.n > DISTANCE_MAX)
        return limit + 1;
    size_t row[DISTANCE_MAX + 1];
    for (size_t j = 0; j <= b.n; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t change = diagonal + (lower(a.p[i - 1]) != lower(b.p[j - 1]));
            size_t best = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            diagonal = row[j];
            row[j] = change < best ? change : best;
        }
    }
    return row[b.n] <= limit ? row[b.n] : limit + 1;
}

const char *str_nearest(struct str name, const char *const *candidates, size_t n)
{
    size_t limit = name.n < 4 ? 1 : name.n / 3 + 1;
    const char *best = NULL;
    for (size_t i = 0; i < n; i++) {
        size_t distance = str_distance(name, str_of(candidates[i]), limit);
        if (distance <= limit && (best == NULL || distance < limit + 1)) {
            best = candidates[i];
            if (distance == 0)
                break;
            limit = distance - 1;
        }
    }
    return best;
}
