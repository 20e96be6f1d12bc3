// SPDX-License-Identifier: Apache-2.0
// What a script computes, as text in a form of its own: tables with their columns, views,
// the INSERT, without options, comments and the writer's layout, a clause a line. So two
// scripts can be compared line by line. Inside src/sql.
#ifndef SQL_SCRIPT_TEXT_H
#define SQL_SCRIPT_TEXT_H

#include "sql/parse.h"

// Of statements without an error; in the plan's arena. Values that --set gives stand in
// it; of all other variables the name alone, since they may be secret.
struct str script_text(const struct script *script, struct str text,
                       const struct statements *statements, struct plan *plan);

#endif
