// SPDX-License-Identifier: Apache-2.0
// Port: lines to and from another process.
//
// Threads: one. Errors: the other side cannot be written to any more, or sends a line
// beyond the port's limit; both are final.
#ifndef CORE_LINES_H
#define CORE_LINES_H

#include "base/status.h"
#include "base/str.h"

enum line_event {
    LINE_NONE, // nothing within the time, or whoever waits is to stop
    LINE_READ,
    LINE_LAST, // one without its LF: it may be cut off, and nothing more will come
    LINE_END,  // nothing more will come
};

struct lines;

struct lines_ops {
    // Waits at most so long. The line is given without its LF, and is borrowed until the
    // next call.
    enum status (*receive)(struct lines *lines, int64_t timeout_ms, enum line_event *ret,
                           struct str *ret_line, struct err *err);
    // `text` has its LF.
    enum status (*send)(struct lines *lines, struct str text, struct err *err);
};

struct lines {
    const struct lines_ops *ops;
};

#endif
