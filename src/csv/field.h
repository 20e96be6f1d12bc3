// SPDX-License-Identifier: Apache-2.0
// One CSV field as a value of a column, and what to say when it is none. Pure.
#ifndef CSV_FIELD_H
#define CSV_FIELD_H

#include "core/batch.h"
#include "csv/scanner.h"

// The cases that csv_value leaves to it.
bool csv_value_other(const struct column *column, struct csv_field field, bool plain,
                     struct arena *arena, struct value *ret);

// Up to nine digits: what nearly every INT is. False for all else.
static inline bool csv_small_int(struct csv_field field, struct value *ret)
{
    if (field.n - 1U > 8)
        return false;
    int64_t i = 0;
    for (size_t at = 0; at < field.n; at++) {
        unsigned digit = (unsigned char)field.p[at] - (unsigned)'0';
        if (digit > 9)
            return false;
        i = i * 10 + digit;
    }
    *ret = value_int(i);
    return true;
}

// An unquoted empty field is NULL, a quoted one the empty string; for types other than
// TEXT both are NULL, and white space around the value is none of it. `plain`: the line
// is. False when the field is not of the column's type, or NULL in a NOT NULL column.
// `ret` borrows the field or the arena.
static inline bool csv_value(const struct column *column, struct csv_field field,
                             bool plain, struct arena *arena, struct value *ret)
{
    if (LIKELY(column->type == TYPE_TEXT && plain && field.n > 0 && !field.doubled)) {
        *ret = value_text(csv_raw(field));
        return true;
    }
    if (column->type == TYPE_INT && csv_small_int(field, ret))
        return true;
    return csv_value_other(column, field, plain, arena, ret);
}

// A text with a blank or tab at one of its ends.
static inline bool csv_is_padded(struct value value)
{
    if (value.kind != VALUE_TEXT || value.n == 0)
        return false;
    char first = value.p[0], last = value.p[value.n - 1];
    return first == ' ' || first == '\t' || last == ' ' || last == '\t';
}

void csv_note_padded(struct padded_texts *padded, struct value value);

// Without the blanks and tabs at its ends.
struct csv_field csv_trimmed(struct csv_field field);

// Why csv_value said false: "column stop_sequence: 'x7' is not an INT".
void csv_explain(const struct column *column, struct csv_field field, struct buf *text);

// Why csv_scan gave no line: "column stop_id: unclosed quote". `column` is that of field
// line->n, NULL when it is none of the schema's.
void csv_explain_scan(enum csv_scan scan, const struct csv_line *line,
                      const struct column *column, struct buf *text);

// The bytes between single quotes, printable (others as \xNN) and at most about 40 long.
void csv_show(struct str bytes, struct buf *text);

// ST_USAGE when a column cannot be read from CSV: type BYTES.
enum status csv_check_schema(const struct schema *schema, struct err *err);

#endif
