// SPDX-License-Identifier: Apache-2.0
// Schemas for CSV tests, written as text: "trip_id TEXT NOT NULL, stop_sequence INT".
#ifndef TESTS_CSV_FIXTURE_H
#define TESTS_CSV_FIXTURE_H

#include "core/schema.h"

static inline struct schema schema_of(struct arena *arena, const char *text)
{
    size_t n_most = 1;
    for (const char *p = text; *p != '\0'; p++)
        n_most += *p == ',';
    struct schema schema = {.columns = arena_array(arena, n_most, sizeof(struct column))};
    struct str rest = arena_str(arena, str_of(text));
    while (rest.p != NULL) {
        struct str part = str_trim(str_cut(&rest, ','));
        struct column *column = &schema.columns[schema.n++];
        struct str name = str_cut(&part, ' ');
        column->name = str_of(arena_cstr(arena, name));
        column->type = type_of_name(str_cut(&part, ' '));
        column->nullable = part.p == NULL;
    }
    return schema;
}

#define STOP_TIMES                                                                  \
    "trip_id TEXT NOT NULL, arrival_time TEXT, departure_time TEXT, stop_id TEXT, " \
    "stop_sequence INT"

// A row as text: values as value_format has them, NULL as "NULL", separated by '|'.
static inline struct str row_text(struct arena *arena, const struct value *row, size_t n)
{
    struct buf text = {0};
    for (size_t i = 0; i < n; i++) {
        buf_text(&text, i ? "|" : "");
        if (row[i].kind == VALUE_NULL)
            buf_text(&text, "NULL");
        else
            value_format(row[i], &text);
    }
    struct str copy = arena_str(arena, buf_as_str(&text));
    buf_release(&text);
    return copy;
}

#endif
