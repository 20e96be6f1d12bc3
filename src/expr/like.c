// SPDX-License-Identifier: Apache-2.0
#include "expr/like.h"

static size_t character_bytes(struct str s)
{
    size_t n = 1;
    while (n < s.n && (s.p[n] & 0xC0) == 0x80)
        n++;
    return n;
}

static struct str rest_of(struct str s, size_t n)
{
    return (struct str){s.p + n, s.n - n};
}

// What a pattern begins with.
struct item {
    enum {
        ITEM_END,
        ITEM_ANY_TEXT,
        ITEM_ANY_CHARACTER,
        ITEM_CHARACTER,
        ITEM_BROKEN
    } kind;
    struct str character;
    size_t n_bytes; // of the pattern
};

static struct item next_item(struct str pattern, struct str escape)
{
    if (pattern.n == 0)
        return (struct item){.kind = ITEM_END};
    struct str character = {pattern.p, character_bytes(pattern)};
    size_t n_bytes = character.n;
    if (escape.n > 0 && str_eq(character, escape)) {
        struct str escaped = rest_of(pattern, n_bytes);
        if (escaped.n == 0)
            return (struct item){.kind = ITEM_BROKEN};
        escaped.n = character_bytes(escaped);
        return (struct item){ITEM_CHARACTER, escaped, n_bytes + escaped.n};
    }
    if (*pattern.p == '%')
        return (struct item){ITEM_ANY_TEXT, character, n_bytes};
    if (*pattern.p == '_')
        return (struct item){ITEM_ANY_CHARACTER, character, n_bytes};
    return (struct item){ITEM_CHARACTER, character, n_bytes};
}

// Goes back to the last % only: what stood before it has matched for good.
bool like(struct str text, struct str pattern, struct str escape, bool *ret)
{
    struct str retry_text = {0}, retry_pattern = {0};
    *ret = false;
    for (int n_steps = 0; n_steps < LIKE_STEPS_MAX; n_steps++) {
        struct item item = next_item(pattern, escape);
        if (item.kind == ITEM_BROKEN)
            return true;
        if (item.kind == ITEM_END && text.n == 0) {
            *ret = true;
            return true;
        }
        if (item.kind == ITEM_ANY_TEXT) {
            pattern = rest_of(pattern, item.n_bytes);
            retry_text = text;
            retry_pattern = pattern;
            continue;
        }
        size_t n = text.n > 0 ? character_bytes(text) : 0;
        bool matches = n > 0 && (item.kind == ITEM_ANY_CHARACTER ||
                                 (item.kind == ITEM_CHARACTER &&
                                  str_eq((struct str){text.p, n}, item.character)));
        if (matches) {
            text = rest_of(text, n);
            pattern = rest_of(pattern, item.n_bytes);
            continue;
        }
        if (retry_text.n == 0)
            return true;
        retry_text = rest_of(retry_text, character_bytes(retry_text));
        text = retry_text;
        pattern = retry_pattern;
    }
    return false;
}
