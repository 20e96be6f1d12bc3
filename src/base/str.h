// SPDX-License-Identifier: Apache-2.0
// Borrowed text or bytes: pointer and length, not NUL-terminated. Owns nothing.
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"

struct str {
    const char *p;
    size_t n; // bytes
};

// For printf: printf("%.*s", STR_ARGS(s)).
#define STR_ARGS(s)      (int)(s).n, (s).p
#define STR_LITERAL(lit) ((struct str){(lit), sizeof(lit) - 1})

static inline struct str str_of(const char *text)
{
    return (struct str){text, text ? strlen(text) : 0};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool str_is(struct str s, const char *text)
{
    return str_eq(s, str_of(text));
}

// Order by bytes, as TEXT compares: < 0, 0, > 0.
int str_compare(struct str a, struct str b);
bool str_starts_with(struct str s, const char *prefix);
bool str_ends_with(struct str s, const char *suffix);
// Equal but for the case of ASCII letters.
bool str_eq_nocase(struct str a, struct str b);
// Without ASCII white space at both ends.
struct str str_trim(struct str s);
// Cuts `*rest` at the first `sep`: returns what stands before it and leaves what stands
// after; without a separator returns all and leaves an empty str with p == NULL.
struct str str_cut(struct str *rest, char sep);

// `[+-]?[0-9]+`, whole; false when it is anything else or out of the 64-bit range.
bool str_to_i64(struct str s, int64_t *ret);
// Valid UTF-8 (no surrogates, no overlong forms, at most U+10FFFF) without a NUL byte.
// Returns the number of good bytes at the front: s.n when all is good.
size_t str_utf8_valid(struct str s);
// Columns that a terminal shows for this UTF-8 text (East Asian wide letters count 2,
// combining marks 0).
size_t str_display_width(struct str s);

// The candidate nearest to `name`, NULL when none is near enough to suggest.
const char *str_nearest(struct str name, const char *const *candidates, size_t n);

#endif
