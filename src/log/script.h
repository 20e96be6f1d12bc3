// SPDX-License-Identifier: Apache-2.0
// What a job's script was when it was started, as the log keeps it: its query in a form
// of its own and the options that it gives, so that a later one can be compared with it.
// Values of secret options are not kept. Texts are borrowed.
#ifndef LOG_SCRIPT_H
#define LOG_SCRIPT_H

#include "base/arena.h"

enum {
    SCRIPT_OPTIONS_MAX = 10000
};

struct script_option {
    struct str table; // or view; empty: of the whole job, by SET
    struct str name;
    struct str value; // p == NULL: it is secret
};

struct job_script {
    bool is_known;                 // false: none is told, as by older programs
    int64_t entry;                 // that told it; of a state and a snapshot
    struct str plan;               // its hash, of the same
    struct str query;              // empty: it is too long to be kept
    struct script_option *options; // those of a table together
    size_t n_options;
};

// A deep copy in `arena`.
struct job_script job_script_copy(struct arena *arena, const struct job_script *script);
// NULL: it gives no such option.
const struct script_option *job_script_find(const struct job_script *script,
                                            struct str table, struct str name);

#endif
