// SPDX-License-Identifier: Apache-2.0
// What a script would change: it is compared with the one that its log last ran with, and
// what the next start would make of it is said. Reads the log, the topic's name and the
// staged tables' version; joins no group, changes nothing.
#ifndef JOB_DIFF_H
#define JOB_DIFF_H

#include "job/pipeline.h"
#include "log/script_difference.h"

enum {
    DIFF_VERSION = 1, // of the JSON: docs/operations.md
    DIFF_EFFECTS = 8
};

// What the next start does.
struct diff_effect {
    const char *code; // of a closed list: docs/operations.md
    const char *text; // of an arena
};

struct diff {
    struct arena arena;
    struct log_state state;
    struct str result;        // URL
    int64_t entry;            // with whose script it is compared; -1: there is no log
    int64_t time_ms;          // of that entry; -1: unknown, it was removed
    struct str worker;        // the same; empty: unknown
    struct job_script script; // of now
    struct script_difference difference;
    struct diff_effect effects[DIFF_EFFECTS];
    size_t n_effects;
    bool is_refused; // at the next start
};

// `ret` is to be released, also when it fails.
enum status diff_script(struct pipeline *pipeline, const struct deadline *deadline,
                        struct diff *ret, struct err *err);
void diff_release(struct diff *diff);
// Nothing is known to differ, and the next start is not refused.
bool diff_is_same(const struct diff *diff);
void diff_json(const struct diff *diff, struct buf *ret);

#endif
