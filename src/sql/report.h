// SPDX-License-Identifier: Apache-2.0
// The errors of a script, each with its place, ready to print.
//
// Errors are collected in any order and printed in that of the text. The same error at
// the same place is told once. One thread; memory belongs to the arena.
#ifndef SQL_REPORT_H
#define SQL_REPORT_H

#include "base/arena.h"
#include "base/buf.h"

#define NOWHERE SIZE_MAX // the place of an error of the script as a whole

struct report_entry {
    size_t at; // byte in the text, or NOWHERE
    size_t order;
    const char *text;
    const char *hint; // what to write instead; NULL: none
};

struct report {
    struct str name; // of the file, for messages
    struct str text;
    struct arena *arena;
    size_t width; // columns of the place that it is shown on; 0: any
    struct report_entry *entries;
    size_t n;
    size_t capacity;
    size_t *index; // by place and text: entries from 1; 0: free
    size_t n_index;
    bool repeated; // the last error was there already: its hint goes nowhere
    size_t *lines; // where each begins; found when the first is asked for
    size_t n_lines;
};

void report_release(struct report *report);
void report_error(struct report *report, size_t at, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
// Says what to write instead of what the last error names.
void report_hint(struct report *report, const char *fmt, ...) PRINTF_LIKE(2, 3);
// "file:line:column: error: text", the line, a caret, the hint; for each error.
void report_print(struct report *report, struct buf *out);
// The same, one by one.
struct script_error;
void report_each(struct report *report, void (*each)(const struct script_error *error));
// Line of a place, from 1.
size_t report_line(struct report *report, size_t at);
// Where a line begins; the end of the text when there are fewer.
size_t report_line_start(struct report *report, size_t line);

#endif
