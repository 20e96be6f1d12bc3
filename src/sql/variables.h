// SPDX-License-Identifier: Apache-2.0
// ${NAME} inside string literals, replaced after parsing: a value is never read as SQL.
#ifndef SQL_VARIABLES_H
#define SQL_VARIABLES_H

#include "sql/plan.h"
#include "sql/report.h"

struct expansion {
    struct str text;
    bool from_set;     // a value of --set is in it
    bool from_outside; // one of --set-file or the environment, which may be a secret
};

// Replaces ${NAME} by its value and $${ by ${. On error reports at `at` and returns
// false.
bool variables_expand(const struct script *script, struct report *report, size_t at,
                      struct str literal, struct expansion *ret);

// The names in a script's literals, each once, in the order of the script; in the arena.
struct str *variables_used(struct str text, struct arena *arena, size_t *ret_n);

#endif
