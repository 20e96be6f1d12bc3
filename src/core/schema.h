// SPDX-License-Identifier: Apache-2.0
// Names and types of a row's columns. Read-only once made; memory belongs to the arena it
// was made in (usually the job's).
#ifndef CORE_SCHEMA_H
#define CORE_SCHEMA_H

#include "base/arena.h"
#include "core/value.h"

enum {
    SCHEMA_COLUMNS_MAX = 2000
};

struct column {
    struct str name; // NUL-terminated too
    enum type type;
    bool nullable;
};

struct schema {
    struct column *columns;
    size_t n;
};

// Index of the column with that name, or -1.
int schema_find(const struct schema *schema, struct str name);
// A deep copy in `arena`.
struct schema schema_copy(struct arena *arena, const struct schema *schema);
// "trip_id TEXT NOT NULL, stop_sequence INT": stable text, for hashes and messages.
void schema_format(const struct schema *schema, struct buf *buf);
// Takes the first column off such a text: its name, and its type, "INT" or "INT NOT
// NULL". False at the end. Names may hold commas and blanks.
bool schema_cut(struct str *text, struct str *ret_name, struct str *ret_type);
// The schema of such a text; false when it is none.
bool schema_parse(struct str text, struct arena *arena, struct schema *ret);

#endif
