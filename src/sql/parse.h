// SPDX-License-Identifier: Apache-2.0
// A script's text to statements: libpg_query splits and parses, tree_*.c translate.
//
// Statements that are wrong are reported and left out; the others are still given, so
// that a script's errors come all at once.
#ifndef SQL_PARSE_H
#define SQL_PARSE_H

#include "sql/ast.h"
#include "sql/plan.h"
#include "sql/report.h"

struct statements {
    struct statement *items;
    size_t n;
    bool incomplete; // some could not be read: names may be missing for that reason
};

// `report` holds the text, which must end with a NUL.
void parse_script(const struct script *script, struct report *report,
                  struct statements *ret);

#endif
