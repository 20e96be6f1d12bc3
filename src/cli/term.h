// SPDX-License-Identifier: Apache-2.0
// What people see: progress, how wide a line may be.
//
// Progress stands on stderr: one line rewritten on a terminal, nothing elsewhere but the
// final line. Results stand on stdout. One thread.
#ifndef CLI_TERM_H
#define CLI_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

bool term_is_out(void); // stdout is a terminal
bool term_is_err(void);
// Whether stdout takes more than plain text.
bool term_takes_sequences(void);
// Whether colours are wanted there: a terminal, not a dumb one, and no $NO_COLOR.
bool term_has_colour_out(void);
bool term_has_colour_err(void);
// Columns of the terminal on stdout, or of $COLUMNS; 0: no limit.
size_t term_width(void);
size_t term_width_err(void); // the same of stderr

// Text from a stranger on stdout, as text_visible has it.
void term_put(struct str text);
// Lines of data on stdout: as they are, but on a terminal each as text_visible has it,
// tabs apart. Pieces of a whole: one may end within a character, which the next one ends.
void term_put_lines(struct str text);

struct progress_bar {
    const char *what; // "trips.txt"
    const char *unit; // "rows", or NULL: bytes
    int64_t begun_ms, shown_ms;
    bool drawn;
};
void progress_begin(struct progress_bar *progress, const char *what, const char *unit);
// total < 0: not known. Draws at most ten times a second.
void progress_show(struct progress_bar *progress, int64_t done, int64_t total);
void progress_end(struct progress_bar *progress); // clears the line

#endif
