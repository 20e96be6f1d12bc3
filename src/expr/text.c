// SPDX-License-Identifier: Apache-2.0
// Functions over text, as PostgreSQL means them: characters are those of UTF-8.
#include <stdio.h>

#include "base/buf.h"
#include "expr/eval.h"
#include "expr/functions.h"

enum {
    LPAD_CHARACTERS_MAX = 1 << 20,
    REPLACED_BYTES_MAX = 64 << 20,
};

static struct str text_of(struct value value)
{
    return (struct str){value.p ? value.p : "", value.n};
}

static struct value fail(struct call *call, const char *why)
{
    call->error = str_of(why);
    return (struct value){0};
}

static struct value boolean(bool yes)
{
    return (struct value){.i = yes, .kind = VALUE_BOOL};
}

static bool is_first_byte(char c)
{
    return (c & 0xC0) != 0x80;
}

static int64_t count_characters(struct str s)
{
    int64_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += is_first_byte(s.p[i]);
    return n;
}

// Byte at which the n-th character begins, from 0; the end when there are fewer.
static size_t byte_of(struct str s, int64_t n)
{
    size_t i = 0;
    for (; i < s.n; i++)
        if (is_first_byte(s.p[i]) && n-- <= 0)
            break;
    return i;
}

// Characters [from, to), from 0, both held within the text.
static struct str slice(struct str s, int64_t from, int64_t to)
{
    from = from < 0 ? 0 : from;
    if (to <= from)
        return (struct str){"", 0};
    size_t start = byte_of(s, from);
    struct str rest = {s.p + start, s.n - start};
    return (struct str){rest.p, byte_of(rest, to - from)};
}

// Case and length.

static struct value map_letters(struct call *call, struct value value, char from,
                                char change)
{
    struct str s = text_of(value);
    char *copy = arena_alloc(call->arena, s.n + 1);
    for (size_t i = 0; i < s.n; i++) {
        bool is_letter = s.p[i] >= from && s.p[i] < from + 26;
        copy[i] = (char)(s.p[i] ^ (is_letter ? change : 0));
    }
    return value_text((struct str){copy, s.n});
}

struct value text_lower(struct call *call, const struct value *args, size_t n_args)
{
    (void)n_args;
    return map_letters(call, args[0], 'A', 0x20);
}

struct value text_upper(struct call *call, const struct value *args, size_t n_args)
{
    (void)n_args;
    return map_letters(call, args[0], 'a', 0x20);
}

struct value text_length(struct call *call, const struct value *args, size_t n_args)
{
    (void)call;
    (void)n_args;
    return value_int(count_characters(text_of(args[0])));
}

// Parts.

struct value text_substr(struct call *call, const struct value *args, size_t n_args)
{
    int64_t from = args[1].i - 1;
    int64_t n = n_args == 3 ? args[2].i : INT32_MAX;
    if (n < 0)
        return fail(call, "substr: a length less than 0");
    // All arguments have 32 bits: the sum does not overflow.
    int64_t to = n_args == 3 ? from + n : INT64_MAX;
    return value_text(slice(text_of(args[0]), from, to));
}

struct value text_left(struct call *call, const struct value *args, size_t n_args)
{
    (void)call;
    (void)n_args;
    struct str s = text_of(args[0]);
    int64_t n = args[1].i;
    return value_text(slice(s, 0, n >= 0 ? n : count_characters(s) + n));
}

struct value text_right(struct call *call, const struct value *args, size_t n_args)
{
    (void)call;
    (void)n_args;
    struct str s = text_of(args[0]);
    int64_t n = args[1].i;
    return value_text(slice(s, n >= 0 ? count_characters(s) - n : -n, INT64_MAX));
}

static size_t character_bytes(struct str s)
{
    size_t n = 1;
    while (n < s.n && !is_first_byte(s.p[n]))
        n++;
    return n;
}

// Characters to look for: those of one byte as bits; the others as a text, or where there
// are many as bits too: both texts may be a record's.
struct character_set {
    uint64_t ascii[2];
    struct str others;
    uint8_t *bits; // of all of Unicode; NULL: `others` has them
};

enum {
    CHARACTERS_MAX = 0x110000,
    OTHERS_MAX = 64 // bytes that are looked through
};

static uint32_t code_of(struct str character)
{
    size_t n = character.n < 4 ? character.n : 4;
    uint32_t code = (unsigned char)character.p[0] & (0xFFU >> (n + 1));
    for (size_t i = 1; i < n; i++)
        code = code << 6 | ((unsigned char)character.p[i] & 0x3F);
    return code % CHARACTERS_MAX;
}

static struct str first_character(struct str s)
{
    return (struct str){s.p, character_bytes(s)};
}

static struct str rest_of(struct str s, size_t n)
{
    return (struct str){s.p + n, s.n - n};
}

static void make_set(struct str text, struct arena *arena, struct character_set *ret)
{
    *ret = (struct character_set){.others = text};
    if (text.n > OTHERS_MAX) {
        ret->bits = arena_alloc(arena, CHARACTERS_MAX / 8);
        memset(ret->bits, 0, CHARACTERS_MAX / 8);
    }
    while (text.n > 0) {
        struct str character = first_character(text);
        unsigned char c = (unsigned char)character.p[0];
        uint32_t code = character.n > 1 ? code_of(character) : c;
        if (c < 0x80)
            ret->ascii[c / 64] |= UINT64_C(1) << c % 64;
        else if (ret->bits != NULL)
            ret->bits[code / 8] |= (uint8_t)(1 << code % 8);
        text = rest_of(text, character.n);
    }
}

static bool is_one_of(struct str character, const struct character_set *set)
{
    unsigned char c = (unsigned char)character.p[0];
    if (c < 0x80)
        return set->ascii[c / 64] >> c % 64 & 1;
    if (set->bits != NULL)
        return set->bits[code_of(character) / 8] >> code_of(character) % 8 & 1;
    return memmem(set->others.p, set->others.n, character.p, character.n) != NULL;
}

static struct str trim_left(struct str s, const struct character_set *set)
{
    while (s.n > 0 && is_one_of(first_character(s), set))
        s = rest_of(s, first_character(s).n);
    return s;
}

static struct str trim_right(struct str s, const struct character_set *set)
{
    while (s.n > 0) {
        size_t at = s.n - 1;
        while (at > 0 && !is_first_byte(s.p[at]))
            at--;
        if (!is_one_of(rest_of(s, at), set))
            break;
        s.n = at;
    }
    return s;
}

static void trimmed_set(struct call *call, const struct value *args, size_t n_args,
                        struct character_set *ret)
{
    make_set(n_args == 2 ? text_of(args[1]) : STR_LITERAL(" "), call->arena, ret);
}

struct value text_trim(struct call *call, const struct value *args, size_t n_args)
{
    struct character_set set;
    trimmed_set(call, args, n_args, &set);
    return value_text(trim_right(trim_left(text_of(args[0]), &set), &set));
}

struct value text_ltrim(struct call *call, const struct value *args, size_t n_args)
{
    struct character_set set;
    trimmed_set(call, args, n_args, &set);
    return value_text(trim_left(text_of(args[0]), &set));
}

struct value text_rtrim(struct call *call, const struct value *args, size_t n_args)
{
    struct character_set set;
    trimmed_set(call, args, n_args, &set);
    return value_text(trim_right(text_of(args[0]), &set));
}

struct value text_lpad(struct call *call, const struct value *args, size_t n_args)
{
    struct str s = text_of(args[0]);
    struct str fill = n_args == 3 ? text_of(args[2]) : STR_LITERAL(" ");
    int64_t n = args[1].i, n_s = count_characters(s);
    int64_t n_fill = count_characters(fill);
    if (n > LPAD_CHARACTERS_MAX)
        return fail(call, "lpad: more than 1048576 characters");
    if (n <= n_s || n_fill == 0)
        return value_text(slice(s, 0, n));
    AUTO(buf_release) struct buf buf = {0};
    for (int64_t missing = n - n_s; missing > 0; missing -= n_fill)
        buf_str(&buf, slice(fill, 0, missing));
    buf_str(&buf, s);
    return value_text(arena_str(call->arena, buf_as_str(&buf)));
}

// Search.

struct value text_position(struct call *call, const struct value *args, size_t n_args)
{
    (void)call;
    (void)n_args;
    struct str s = text_of(args[0]), wanted = text_of(args[1]);
    const char *at = wanted.n == 0 ? s.p : memmem(s.p, s.n, wanted.p, wanted.n);
    if (at == NULL)
        return value_int(0);
    return value_int(count_characters((struct str){s.p, (size_t)(at - s.p)}) + 1);
}

struct value text_starts_with(struct call *call, const struct value *args, size_t n_args)
{
    (void)call;
    (void)n_args;
    struct str s = text_of(args[0]), prefix = text_of(args[1]);
    return boolean(s.n >= prefix.n && memcmp(s.p, prefix.p, prefix.n) == 0);
}

// Cuts the next part off: before the separator, or all that is left.
static struct str cut(struct str *rest, struct str separator)
{
    struct str part = *rest;
    const char *at = memmem(rest->p, rest->n, separator.p, separator.n);
    if (at == NULL) {
        *rest = (struct str){0};
        return part;
    }
    part.n = (size_t)(at - rest->p);
    size_t used = part.n + separator.n;
    *rest = (struct str){rest->p + used, rest->n - used};
    return part;
}

struct value text_replace(struct call *call, const struct value *args, size_t n_args)
{
    (void)n_args;
    struct str s = text_of(args[0]), old = text_of(args[1]);
    if (old.n == 0)
        return value_text(s);
    AUTO(buf_release) struct buf buf = BUF_INIT(REPLACED_BYTES_MAX);
    while (s.p != NULL) {
        buf_str(&buf, cut(&s, old));
        if (s.p != NULL)
            buf_str(&buf, text_of(args[2]));
    }
    if (buf.full)
        return fail(call, "replace: more than 67108864 bytes");
    return value_text(arena_str(call->arena, buf_as_str(&buf)));
}

static int64_t count_parts(struct str s, struct str separator)
{
    int64_t n = 0;
    for (; s.p != NULL; n++)
        (void)cut(&s, separator);
    return n;
}

struct value text_split_part(struct call *call, const struct value *args, size_t n_args)
{
    (void)n_args;
    struct str s = text_of(args[0]), separator = text_of(args[1]);
    int64_t n = args[2].i;
    if (n == 0)
        return fail(call, "split_part: part 0; they count from 1, or from -1 at the end");
    if (separator.n == 0)
        return value_text(n == 1 || n == -1 ? s : STR_LITERAL(""));
    if (n < 0)
        n = count_parts(s, separator) + n + 1;
    if (n <= 0)
        return value_text(STR_LITERAL(""));
    for (int64_t i = 1; i < n && s.p != NULL; i++)
        (void)cut(&s, separator);
    return value_text(s.p != NULL ? cut(&s, separator) : STR_LITERAL(""));
}
