// SPDX-License-Identifier: Apache-2.0
// Codes of errors: error_codes.txt has one for each that the program can tell, and
// tools/error_codes.py sees to it that it does.
#ifndef CLI_ERROR_CODE_H
#define CLI_ERROR_CODE_H

#include "base/buf.h"

enum {
    ERROR_CODE_MAX = 8 // "TL1203" and its end
};

struct error_code {
    char code[ERROR_CODE_MAX];
    struct str format; // as C has it, escaped
    // Why it comes about, and what to do; empty: nothing is written on it.
    struct str why, way_out;
};

// Which error a text is: the one with the most words of its own in it. What other errors
// put around it or into it does not matter. False: none.
bool error_code_find(struct str text, struct error_code *ret);
// The error with that code; false: there is none.
bool error_code_get(const char *code, struct error_code *ret);
// The code that is nearest to one that is none, "TL1999"; false: it looks like none.
bool error_code_near(const char *code, struct error_code *ret);
// What the errors of a code's kind are about, and what to do: text for people.
struct str error_code_about(const struct error_code *code);

// An error as a JSON line on stderr. `command`: the program's; `place` may be NULL.
struct error_place {
    struct str file;
    size_t line, column; // from 1
    struct str near;     // the word there; empty: none
};
// `exit_code` is that with which the command ends.
void error_line(struct buf *ret, const char *command, int exit_code, struct str text,
                struct str hint, const struct error_place *place);
void error_line_print(const char *command, int exit_code, struct str text,
                      struct str hint, const struct error_place *place);

#endif
