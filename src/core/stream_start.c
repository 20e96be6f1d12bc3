// SPDX-License-Identifier: Apache-2.0
#include "core/stream_start.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

// ".123" at its front, which is cut: to ms; what is finer is dropped.
static int64_t take_fraction(const char **rest)
{
    int64_t ms = 0;
    if ((*rest)[0] != '.' || (*rest)[1] < '0' || (*rest)[1] > '9')
        return 0;
    ++*rest;
    for (int64_t unit = 100; **rest >= '0' && **rest <= '9'; unit /= 10)
        ms += (*(*rest)++ - '0') * unit;
    return ms;
}

bool stream_time_parse(struct str text, int64_t *ret)
{
    char copy[64];
    struct tm tm = {0};
    int hours = 0, minutes = 0, end = 0;
    char sign = '+';
    snprintf(copy, sizeof(copy), "%.*s", STR_ARGS(text));
    const char *rest = strptime(copy, "%Y-%m-%dT%H:%M:%S", &tm);
    if (rest == NULL)
        return false;
    int64_t ms = take_fraction(&rest);
    bool good = strcmp(rest, "Z") == 0 ||
                (sscanf(rest, "%c%2d:%2d%n", &sign, &hours, &minutes, &end) == 3 &&
                 rest[end] == '\0');
    if (!good || (sign != '+' && sign != '-') || hours > 23 || minutes > 59)
        return false;
    int64_t offset = (int64_t)(hours * 60 + minutes) * 60;
    *ret = ((int64_t)timegm(&tm) - (sign == '+' ? offset : -offset)) * 1000 + ms;
    return true;
}

enum status stream_start_parse(struct str text, enum start *ret, int64_t *ret_ms,
                               struct err *err)
{
    if (str_is(text, "earliest"))
        *ret = START_EARLIEST;
    else if (str_is(text, "latest"))
        *ret = START_LATEST;
    else if (stream_time_parse(text, ret_ms))
        *ret = START_TIME;
    else
        return err_set(err, ST_USAGE,
                       "option 'start' takes earliest, latest or a timestamp such as "
                       "2026-11-22T05:00:00Z, not '%.*s'",
                       STR_ARGS(text));
    return ST_OK;
}
