// SPDX-License-Identifier: Apache-2.0
#include "log/paths.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "core/env.h"
#include "core/format.h"

static struct path make(const char *fmt, ...) PRINTF_LIKE(1, 2);
static struct path make(const char *fmt, ...)
{
    struct path path;
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(path.text, sizeof(path.text), fmt, args);
    va_end(args);
    assert(n >= 0 && n < PATH_TEXT);
    return path;
}

struct path path_bucket(int64_t bucket)
{
    return make(PATH_LOG_ROOT "/log/%06" PRId64, bucket);
}

struct path path_entry(int64_t number)
{
    return make(PATH_LOG_ROOT "/log/%06" PRId64 "/%020" PRId64 ".json", bucket_of(number),
                number);
}

struct path path_writer(struct str writer)
{
    return make(PATH_LOG_ROOT "/tmp/%.*s", STR_ARGS(writer));
}

struct path path_tmp(struct str writer, const char *uuid)
{
    return make(PATH_LOG_ROOT "/tmp/%.*s/%s", STR_ARGS(writer), uuid);
}

struct path path_dead(int64_t number, size_t index)
{
    return make(PATH_LOG_ROOT "/dead/%020" PRId64 "-%zu.jsonl", number, index);
}

struct day {
    char text[32];
};

// Empty below 0.
static struct day day_of(int64_t day_ms)
{
    struct day day = {""};
    if (day_ms >= 0) {
        time_t seconds = (time_t)(day_ms / 1000);
        struct tm tm;
        gmtime_r(&seconds, &tm);
        strftime(day.text, sizeof(day.text), "day=%Y-%m-%d/", &tm);
    }
    return day;
}

struct path path_part(int64_t number, size_t index, const char *extension, int64_t day_ms)
{
    struct day day = day_of(day_ms);
    return make("%spart-%020" PRId64 "-%zu.%s", day.text, number, index, extension);
}

struct path path_part_made(struct str writer, const char *uuid, const char *extension,
                           int64_t day_ms)
{
    struct day day = day_of(day_ms);
    return make("%spart-%.*s-%s.%s", day.text, STR_ARGS(writer), uuid, extension);
}

struct path path_dead_made(struct str writer, const char *uuid)
{
    return make(PATH_LOG_ROOT "/dead/%.*s-%s.jsonl", STR_ARGS(writer), uuid);
}

struct path path_parent(struct str path)
{
    size_t n = path.n;
    while (n && path.p[n - 1] != '/')
        n--;
    return make("%.*s", n ? (int)n - 1 : 0, path.p);
}

bool path_number(struct str name, int64_t *ret)
{
    if (str_starts_with(name, "part-"))
        name = (struct str){name.p + 5, name.n - 5};
    struct str digits = str_cut(&name, '-');
    return digits.n == 20 && name.p != NULL && digits.p[0] == '0' &&
           str_to_i64(digits, ret);
}

// Takes up to `most` digits from the front; how many there were.
static size_t cut_digits(struct str *text, size_t most)
{
    size_t n = 0;
    while (n < text->n && n < most && text->p[n] >= '0' && text->p[n] <= '9')
        n++;
    *text = (struct str){text->p + n, text->n - n};
    return n;
}

static bool cut_text(struct str *text, const char *prefix)
{
    size_t n = strlen(prefix);
    if (!str_starts_with(*text, prefix))
        return false;
    *text = (struct str){text->p + n, text->n - n};
    return true;
}

static bool cut_uuid(struct str *text)
{
    struct str uuid = {text->p, UUID_TEXT - 1};
    if (text->n < uuid.n || !env_is_uuid(uuid))
        return false;
    *text = (struct str){text->p + uuid.n, text->n - uuid.n};
    return true;
}

static bool is_extension(struct str text)
{
    if (!cut_text(&text, "."))
        return false;
    for (size_t i = 0; i < n_formats; i++)
        if (formats[i]->files != NULL && str_is(text, formats[i]->files->extension))
            return true;
    return false;
}

static bool is_numbered(struct str name)
{
    return cut_digits(&name, 20) == 20 && cut_text(&name, "-") &&
           cut_digits(&name, 20) > 0 && is_extension(name);
}

static bool is_made(struct str name)
{
    return cut_uuid(&name) && cut_text(&name, "-") && cut_uuid(&name) &&
           is_extension(name);
}

bool path_is_part(struct str name)
{
    return cut_text(&name, "part-") && (is_numbered(name) || is_made(name));
}

bool path_is_made(struct str path, struct str writer, bool dead)
{
    if (!cut_text(&path, dead ? PATH_LOG_ROOT "/dead/" : "part-")) {
        struct path day = path_parent(path);
        if (dead || !path_is_day(path_str(&day)))
            return false;
        path = (struct str){path.p + strlen(day.text) + 1, path.n - strlen(day.text) - 1};
        if (!cut_text(&path, "part-"))
            return false;
    }
    struct str first = {path.p, UUID_TEXT - 1};
    return cut_uuid(&path) && str_eq(first, writer) && cut_text(&path, "-") &&
           cut_uuid(&path) && (dead ? str_is(path, ".jsonl") : is_extension(path));
}

bool path_is_day(struct str name)
{
    return cut_text(&name, "day=") && cut_digits(&name, 4) == 4 && cut_text(&name, "-") &&
           cut_digits(&name, 2) == 2 && cut_text(&name, "-") &&
           cut_digits(&name, 2) == 2 && name.n == 0;
}
