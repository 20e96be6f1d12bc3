// SPDX-License-Identifier: Apache-2.0
// What is different between the script that a log last ran with and one of now: columns
// of the result, query, options. For `tramline diff`, and the line of a run that begins
// with a changed script. Pure.
#ifndef LOG_SCRIPT_DIFFERENCE_H
#define LOG_SCRIPT_DIFFERENCE_H

#include "log/log_state.h"
#include "log/text_difference.h"

enum column_fate {
    COLUMN_ADDED,
    COLUMN_GONE,
    COLUMN_TYPE,        // it has another one
    COLUMN_NULLABILITY, // NOT NULL came or went
    COLUMN_MOVED,       // it stands behind or before others
};

struct column_change {
    enum column_fate fate;
    struct str name;
    struct str was, is; // "INT NOT NULL"; p == NULL: it was not, is not there
};

struct option_change {
    struct str table; // empty: SET
    struct str name;
    // p == NULL: it was not, is not there. Where an option is not given it is its
    // default.
    struct str was, is;
    bool was_given, is_given;
    bool is_secret; // was and is say nothing
};

struct script_difference {
    struct column_change *columns; // in the order of the result, then those that are gone
    size_t n_columns;
    bool query_differs; // in meaning
    bool is_known;      // false: what follows is not, as the log does not tell it
    struct text_difference query; // of its text; no line: the log has none
    struct option_change *options;
    size_t n_options;
};

// Between what the state of a log that is not empty says and a job; in the arena.
struct script_difference script_difference(const struct log_state *state,
                                           const struct job *job, struct arena *arena);
bool script_difference_is_none(const struct script_difference *difference);
// "result: column 'd' is new (INT); query: 2 lines are gone, 1 is new; SET
// commit.interval was 60s, is 10s"; of many the first few.
void script_difference_say(const struct script_difference *difference, struct buf *ret);
const char *column_fate_name(enum column_fate fate);

#endif
