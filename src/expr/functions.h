// SPDX-License-Identifier: Apache-2.0
// The scalar functions and casts of SQL, over values that are not NULL. What they are
// called and take stands in sql/functions.c; what they mean in docs/sql.md.
#ifndef EXPR_FUNCTIONS_H
#define EXPR_FUNCTIONS_H

#include "expr/program.h"

scalar_function cast_to_int, cast_to_bigint, cast_to_real, cast_to_boolean, cast_to_text;

scalar_function text_lower, text_upper, text_length;
scalar_function text_substr, text_left, text_right, text_trim, text_ltrim, text_rtrim;
scalar_function text_replace, text_lpad, text_position, text_starts_with, text_split_part;

scalar_function number_abs, number_abs_int; // of INT: not past 32 bits
scalar_function number_round, number_ceil, number_floor;

scalar_function time_gtfs_seconds, time_gtfs_time;
scalar_function time_now; // no argument

// Appends a value as CAST to TEXT gives it.
void text_append(struct value value, struct buf *text);

#endif
