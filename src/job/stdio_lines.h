// SPDX-License-Identifier: Apache-2.0
// Lines (core/lines.h) over standard input and output. A signal (job/stop.h) ends a wait.
//
// A last line without LF counts as one.
#ifndef JOB_STDIO_LINES_H
#define JOB_STDIO_LINES_H

#include "base/buf.h"
#include "core/lines.h"

struct stdio_lines {
    struct lines lines; // first member
    size_t line_max;    // bytes
    int64_t send_ms;    // by then the other side must have read what is sent
    struct buf in;
    size_t used; // of `in`, by the line given last
    bool has_end;
};

void stdio_lines_open(struct stdio_lines *lines, size_t line_max, int64_t send_ms);
void stdio_lines_close(struct stdio_lines *lines);

#endif
