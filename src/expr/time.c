// SPDX-License-Identifier: Apache-2.0
// GTFS times and the batch's time.
#include <stdio.h>

#include "base/text.h"
#include "expr/eval.h"
#include "expr/functions.h"

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

struct value time_gtfs_seconds(struct call *call, const struct value *args, size_t n_args)
{
    (void)call;
    (void)n_args;
    int64_t seconds;
    if (!parse_time(value_str(args[0]), &seconds))
        return (struct value){0};
    return value_int(seconds);
}

static struct value text_in(struct call *call, const char *text, int n)
{
    return value_text(arena_str(call->arena, (struct str){text, (size_t)n}));
}

struct value time_gtfs_time(struct call *call, const struct value *args, size_t n_args)
{
    (void)n_args;
    int64_t seconds = args[0].i;
    if (seconds < 0)
        return (struct value){0};
    char text[40];
    int n =
        snprintf(text, sizeof(text), "%02lld:%02lld:%02lld", (long long)(seconds / 3600),
                 (long long)(seconds / 60 % 60), (long long)(seconds % 60));
    return text_in(call, text, n);
}

struct value time_now(struct call *call, const struct value *args, size_t n_args)
{
    (void)args;
    (void)n_args;
    char text[TEXT_TIME_MAX];
    return text_in(call, text, (int)text_time(call->now_ms, text).n);
}
