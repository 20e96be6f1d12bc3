// SPDX-License-Identifier: Apache-2.0
// The functions that a script may call: names, types, and what SQLite runs for them.
//
// The list is functions.c; docs/sql.md shows it and a test holds them together. What a
// function of values does stands in src/expr, for both executors: sqlite_functions.c
// registers the list, but for those that SQLite has and means the same by.
#ifndef SQL_FUNCTIONS_H
#define SQL_FUNCTIONS_H

#include "expr/functions.h"

enum function_kind {
    FUNCTION_SCALAR,
    FUNCTION_AGGREGATE, // also OVER (...)
    FUNCTION_WINDOW,    // only OVER (...)
};

enum parameter {
    PARAMETER_TEXT,
    PARAMETER_INT,    // INT; a BIGINT is refused
    PARAMETER_NUMBER, // INT, BIGINT or REAL
    PARAMETER_REAL,   // a number; an integer is made a REAL
    PARAMETER_BOOLEAN,
    PARAMETER_ORDERED, // TEXT or a number
    PARAMETER_ANY,
};

enum result {
    RESULT_TEXT,
    RESULT_INT,
    RESULT_BIGINT,
    RESULT_REAL,
    RESULT_BOOLEAN,
    RESULT_FIRST, // the type of the first argument
    RESULT_SUM,   // BIGINT for integers, REAL for REAL
};

enum null_rule {
    NULL_IF_ARGUMENT_IS, // and only then
    NULL_NEVER,
    NULL_EVER, // may be, whatever the arguments are
};

struct function {
    const char *name;
    const char *printed; // its name in SQLite
    enum function_kind kind;
    uint8_t min_args, max_args;
    enum parameter parameters[3];
    enum result result;
    enum null_rule nulls;
    const char *signature; // for messages and the documentation
    const char *about;
    scalar_function *call; // NULL: not of one row's values
};

extern const struct function functions[];
extern const size_t n_functions;

const struct function *function_find(struct str name);
// What to write instead of a function that is not there; NULL when nothing is near.
// Either a function's name (*ret_is_name) or a sentence.
const char *function_instead(struct str name, bool *ret_is_name);

#endif
