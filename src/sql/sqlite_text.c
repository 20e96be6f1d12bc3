// SPDX-License-Identifier: Apache-2.0
#include "sql/sqlite_text.h"

#include <stdio.h>

#include "base/buf.h"

enum {
    LPAD_CHARACTERS_MAX = 1 << 20,
    REPLACED_BYTES_MAX = 64 << 20,
};

struct str sqlite_text(sqlite3_value *value)
{
    const char *p = (const char *)sqlite3_value_text(value);
    return (struct str){p ? p : "", p ? (size_t)sqlite3_value_bytes(value) : 0};
}

static bool any_null(int argc, sqlite3_value **argv)
{
    for (int i = 0; i < argc; i++)
        if (sqlite3_value_type(argv[i]) == SQLITE_NULL)
            return true;
    return false;
}

static void result(sqlite3_context *context, struct str s)
{
    sqlite3_result_text(context, s.n ? s.p : "", (int)s.n, SQLITE_TRANSIENT);
}

static void error(sqlite3_context *context, const char *text)
{
    sqlite3_result_error(context, text, -1);
}

static int64_t count_characters(struct str s)
{
    int64_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += (s.p[i] & 0xC0) != 0x80;
    return n;
}

// Byte at which the n-th character begins, from 0; the end when there are fewer.
static size_t byte_of(struct str s, int64_t n)
{
    size_t i = 0;
    for (; i < s.n; i++)
        if ((s.p[i] & 0xC0) != 0x80 && n-- <= 0)
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

void sqlite_substr(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    if (any_null(argc, argv))
        return;
    int64_t from = sqlite3_value_int64(argv[1]) - 1;
    int64_t n = argc == 3 ? sqlite3_value_int64(argv[2]) : INT32_MAX;
    if (n < 0) {
        error(context, "substr: a length less than 0");
        return;
    }
    // All arguments have 32 bits: the sum does not overflow.
    int64_t to = argc == 3 ? from + n : INT64_MAX;
    result(context, slice(sqlite_text(argv[0]), from, to));
}

void sqlite_left(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    if (any_null(argc, argv))
        return;
    struct str s = sqlite_text(argv[0]);
    int64_t n = sqlite3_value_int64(argv[1]);
    result(context, slice(s, 0, n >= 0 ? n : count_characters(s) + n));
}

void sqlite_right(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    if (any_null(argc, argv))
        return;
    struct str s = sqlite_text(argv[0]);
    int64_t n = sqlite3_value_int64(argv[1]);
    result(context, slice(s, n >= 0 ? count_characters(s) - n : -n, INT64_MAX));
}

void sqlite_lpad(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    if (any_null(argc, argv))
        return;
    struct str s = sqlite_text(argv[0]);
    struct str fill = argc == 3 ? sqlite_text(argv[2]) : STR_LITERAL(" ");
    int64_t n = sqlite3_value_int64(argv[1]), n_s = count_characters(s);
    int64_t n_fill = count_characters(fill);
    if (n > LPAD_CHARACTERS_MAX) {
        error(context, "lpad: more than 1048576 characters");
        return;
    }
    if (n <= n_s || n_fill == 0) {
        result(context, slice(s, 0, n));
        return;
    }
    AUTO(buf_release) struct buf buf = {0};
    for (int64_t missing = n - n_s; missing > 0; missing -= n_fill)
        buf_str(&buf, slice(fill, 0, missing));
    buf_str(&buf, s);
    result(context, buf_as_str(&buf));
}

void sqlite_starts_with(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    if (any_null(argc, argv))
        return;
    struct str s = sqlite_text(argv[0]), prefix = sqlite_text(argv[1]);
    bool yes = s.n >= prefix.n && memcmp(s.p, prefix.p, prefix.n) == 0;
    sqlite3_result_int(context, yes);
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

// SQLite's own gives the text for an empty pattern, also when the third is NULL.
void sqlite_replace(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    if (any_null(argc, argv))
        return;
    struct str s = sqlite_text(argv[0]), old = sqlite_text(argv[1]);
    AUTO(buf_release) struct buf buf = BUF_INIT(REPLACED_BYTES_MAX);
    while (old.n > 0 && s.p != NULL) {
        buf_str(&buf, cut(&s, old));
        if (s.p != NULL)
            buf_str(&buf, sqlite_text(argv[2]));
    }
    if (buf.full)
        error(context, "replace: more than 67108864 bytes");
    else
        result(context, old.n > 0 ? buf_as_str(&buf) : s);
}

static int64_t count_parts(struct str s, struct str separator)
{
    int64_t n = 0;
    for (; s.p != NULL; n++)
        (void)cut(&s, separator);
    return n;
}

void sqlite_split_part(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    if (any_null(argc, argv))
        return;
    struct str s = sqlite_text(argv[0]), separator = sqlite_text(argv[1]);
    int64_t n = sqlite3_value_int64(argv[2]);
    if (n == 0) {
        error(context, "split_part: part 0; they count from 1, or from -1 at the end");
        return;
    }
    if (separator.n == 0) {
        result(context, n == 1 || n == -1 ? s : (struct str){0});
        return;
    }
    if (n < 0)
        n = count_parts(s, separator) + n + 1;
    struct str part = {0};
    for (int64_t i = 1; n > 0 && i <= n; i++)
        part = s.p != NULL ? cut(&s, separator) : (struct str){0};
    result(context, part);
}

static bool two_digits(const char *p, int64_t *ret)
{
    if (p[0] < '0' || p[0] > '5' || p[1] < '0' || p[1] > '9')
        return false;
    *ret = (p[0] - '0') * 10 + (p[1] - '0');
    return true;
}

// GTFS reference, "Time": H:MM:SS or HH:MM:SS, past 24:00:00 for a trip after midnight.
static bool parse_time(struct str s, int64_t *ret)
{
    if (s.n < 7 || s.n > 9 || s.p[s.n - 3] != ':' || s.p[s.n - 6] != ':')
        return false;
    int64_t hours = 0, minutes, seconds;
    for (size_t i = 0; i < s.n - 6; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        hours = hours * 10 + (s.p[i] - '0');
    }
    if (!two_digits(s.p + s.n - 5, &minutes) || !two_digits(s.p + s.n - 2, &seconds))
        return false;
    *ret = (hours * 60 + minutes) * 60 + seconds;
    return true;
}

void sqlite_gtfs_seconds(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    int64_t seconds;
    if (!any_null(argc, argv) && parse_time(sqlite_text(argv[0]), &seconds))
        sqlite3_result_int64(context, seconds);
}

void sqlite_gtfs_time(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    if (any_null(argc, argv) || sqlite3_value_int64(argv[0]) < 0)
        return;
    long long seconds = sqlite3_value_int64(argv[0]);
    char text[32];
    snprintf(text, sizeof(text), "%02lld:%02lld:%02lld", seconds / 3600,
             seconds / 60 % 60, seconds % 60);
    sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
}
