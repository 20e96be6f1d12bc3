// SPDX-License-Identifier: Apache-2.0
// A text, a pattern and an escape character, parted by zero bytes: LIKE says what a table
// of all prefixes says, in no more steps than that table has cells.
#include <assert.h>

#include "fuzz_parts.h"

#include "expr/like.h"

const struct fuzz_budget fuzz_budget = {
    .steps = 1000,
    .steps_a_byte = 200,
    .bytes = 1000,
    .bytes_a_byte = 10,
    .held = 1000,
    .held_a_byte = 10,
};

enum {
    CHARACTERS_MAX = 200,
    STEPS_A_CELL = 100
};

struct characters {
    struct str items[CHARACTERS_MAX];
    bool plain[CHARACTERS_MAX]; // of a pattern: stands for itself
    size_t n;
    bool broken; // ends with the escape
};

static struct characters characters_of(struct str text, struct str escape)
{
    struct characters ret = {0};
    while (text.n > 0 && ret.n < CHARACTERS_MAX) {
        size_t n = 1;
        while (n < text.n && (text.p[n] & 0xC0) == 0x80)
            n++;
        struct str character = {text.p, n};
        text = (struct str){text.p + n, text.n - n};
        bool is_escaped = ret.n > 0 && !ret.plain[ret.n - 1] && escape.n > 0 &&
                          str_eq(ret.items[ret.n - 1], escape);
        if (is_escaped)
            ret.n--;
        ret.plain[ret.n] = is_escaped;
        ret.items[ret.n++] = character;
    }
    ret.broken = ret.n > 0 && !ret.plain[ret.n - 1] && escape.n > 0 &&
                 str_eq(ret.items[ret.n - 1], escape);
    return ret;
}

static bool is_sign(const struct characters *pattern, size_t i, const char *sign)
{
    return !pattern->plain[i] && str_is(pattern->items[i], sign);
}

static bool by_table(const struct characters *text, const struct characters *pattern)
{
    bool row[CHARACTERS_MAX + 1] = {true};
    for (size_t p = 0; p < pattern->n; p++) {
        bool is_any = is_sign(pattern, p, "%"), before = row[0];
        row[0] = row[0] && is_any;
        for (size_t t = 0; t < text->n; t++) {
            bool matches =
                is_sign(pattern, p, "_") || str_eq(pattern->items[p], text->items[t]);
            bool now = is_any ? row[t] || row[t + 1] : before && matches;
            before = row[t + 1];
            row[t + 1] = now;
        }
    }
    return row[text->n] && !pattern->broken;
}

// Texts of columns are UTF-8.
static struct str valid(struct str text)
{
    text.n = str_utf8_valid(text);
    return text;
}

void fuzz_input(const uint8_t *data, size_t size)
{
    struct str rest = {(const char *)data, size};
    struct str text = fuzz_part(&rest), pattern = fuzz_part(&rest);
    struct str escape = fuzz_part(&rest);
    struct characters one = characters_of(valid(escape), (struct str){0});
    struct str sign = one.n ? one.items[0] : (struct str){0};
    struct characters of_text = characters_of(valid(text), (struct str){0});
    struct characters of_pattern = characters_of(valid(pattern), sign);
    fuzz_allow((uint64_t)text.n * pattern.n * STEPS_A_CELL, 0);
    bool yes;
    bool is_done = like(valid(text), valid(pattern), sign, &yes);
    assert(is_done);
    // An empty pattern's escape, and a sign that is its own escape, are the binder's.
    if (of_text.n < CHARACTERS_MAX && of_pattern.n < CHARACTERS_MAX &&
        !str_is(sign, "%") && !str_is(sign, "_"))
        assert(of_pattern.broken || yes == by_table(&of_text, &of_pattern));
    free((char *)text.p);
    free((char *)pattern.p);
    free((char *)escape.p);
}
