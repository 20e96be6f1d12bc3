// SPDX-License-Identifier: Apache-2.0
// Log lines on stderr: "2026-11-22T10:00:00.000Z warn  text". Any thread; one line is one
// write, whatever the text holds (text_visible). Only src/work and src/cli log.
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/str.h"

enum log_level {
    LOG_DEBUG,
    LOG_INFO,
    LOG_WARN,
    LOG_ERROR
};

void log_set_level(enum log_level level); // before threads start; the default is LOG_INFO
// Each line as a JSON object: "time", "level", "text". Before threads start.
void log_set_json(void);
bool log_is_json(void);
bool log_level_of(struct str name, enum log_level *ret);
void log_line(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
#define log_info(...)  log_line(LOG_INFO, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_WARN, __VA_ARGS__)

#endif
