// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/json_put.h"
#include "base/text.h"

enum {
    TEXT_MAX = 4096
};

static enum log_level lowest = LOG_INFO;
static bool as_json;
static const char *const names[] = {"debug", "info", "warn", "error"};

void log_set_level(enum log_level level)
{
    lowest = level;
}

void log_set_json(void)
{
    as_json = true;
}

bool log_is_json(void)
{
    return as_json;
}

bool log_level_of(struct str name, enum log_level *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (str_is(name, names[i])) {
            *ret = (enum log_level)i;
            return true;
        }
    }
    return false;
}

static void write_json(const char *time, enum log_level level, const char *text)
{
    AUTO(buf_release) struct buf line = BUF_INIT((TEXT_GROWTH + 1) * TEXT_MAX);
    json_put_open(&line, NULL, '{');
    json_put_text(&line, "time", str_of(time));
    json_put_text(&line, "level", str_of(names[level]));
    json_put_text(&line, "text", str_of(text));
    json_put_close(&line, '}');
    buf_char(&line, '\n');
    (void)!write(STDERR_FILENO, line.p, line.n);
}

void log_line(enum log_level level, const char *fmt, ...)
{
    if (level < lowest)
        return;
    char line[TEXT_MAX];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct tm tm;
    gmtime_r(&now.tv_sec, &tm);
    size_t n = strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%S", &tm);
    n += (size_t)snprintf(line + n, sizeof(line) - n, ".%03ldZ", now.tv_nsec / 1000000);
    char text[sizeof(line)];
    va_list args;
    va_start(args, fmt);
    if (vsnprintf(text, sizeof(text), fmt, args) < 0)
        text[0] = '\0';
    va_end(args);
    text_hide_logins(text);
    if (as_json) {
        write_json(line, level, text);
        return;
    }
    n += (size_t)snprintf(line + n, sizeof(line) - n, " %-5s ", names[level]);
    n += text_visible(str_of(text), line + n, sizeof(line) - n - 1);
    line[n++] = '\n';
    if (write(STDERR_FILENO, line, n) < 0)
        return; // nowhere left to say so
}
