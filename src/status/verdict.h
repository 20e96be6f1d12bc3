// SPDX-License-Identifier: Apache-2.0
// What a view means: does the job live, is it ready, is it well, and why not.
#ifndef STATUS_VERDICT_H
#define STATUS_VERDICT_H

#include "base/buf.h"
#include "status/board.h"
#include "status/history.h"

enum verdict_level {
    VERDICT_OK,
    VERDICT_WARN, // somebody should look some time
    VERDICT_BAD   // the result does not grow as it should
};

enum {
    VERDICT_STALLED_MS = 60000, // without a step of the worker
    // Worth a word, of the records that were looked at; fewer of these say nothing.
    VERDICT_UNMATCHED_PERCENT = 50,
    VERDICT_REJECTS_PERCENT = 1,
    VERDICT_RECORDS_MIN = 100,
    VERDICT_REASONS = 10
};

// What a look at a job sees.
struct look {
    const struct board_view *view;
    const struct history *history; // NULL: none yet
    int64_t wall_ms, monotonic_ms;
    int64_t stepped_ms; // monotonic, of the worker's last step; 0: none
};

struct verdict_reason {
    const char *code; // of a closed list: docs/operations.md
    enum verdict_level level;
    char text[800];
};

struct verdict {
    enum verdict_level level; // the worst
    struct verdict_reason reasons[VERDICT_REASONS];
    size_t n;
};

extern const char *const verdict_names[VERDICT_BAD + 1];

// One reason more, while there is room; the worst level is the verdict's.
void verdict_add(struct verdict *verdict, enum verdict_level level, const char *code,
                 const char *fmt, ...) PRINTF_LIKE(4, 5);
// `"verdict":"ok","reasons":[...]`, as docs/operations.md has it.
void verdict_json(const struct verdict *verdict, struct buf *ret);
// Whether more than `percent` of `all` are `n`.
bool verdict_exceeds(int64_t n, int64_t all, int percent);
void verdict_of(const struct look *look, struct verdict *ret);
// The worker's loop goes round. Else why not, appended.
bool verdict_is_alive(const struct look *look, struct buf *why);
// Records are read, and what they give can be written. Else why not, appended.
bool verdict_is_ready(const struct look *look, struct buf *why);

#endif
