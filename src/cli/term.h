// SPDX-License-Identifier: Apache-2.0
// What people see: aligned tables, progress, numbers with separators.
//
// Progress stands on stderr: one line rewritten on a terminal, nothing elsewhere but the
// final line. Results stand on stdout. One thread.
#ifndef CLI_TERM_H
#define CLI_TERM_H

#include "base/buf.h"
#include "core/batch.h"

bool term_is_out(void); // stdout is a terminal
bool term_is_err(void);

// "1,234,567"; "1.2 MB"; "3.4 s". In a ring of static buffers: good for one printf.
const char *term_count(int64_t n);
const char *term_bytes(int64_t n);
const char *term_seconds(int64_t ms);

struct progress {
    const char *what; // "trips.txt"
    const char *unit; // "rows", or NULL: bytes
    int64_t begun_ms, shown_ms;
    bool drawn;
};
void progress_begin(struct progress *progress, const char *what, const char *unit);
// total < 0: not known. Draws at most ten times a second.
void progress_show(struct progress *progress, int64_t done, int64_t total);
void progress_end(struct progress *progress); // clears the line

// Rows as an aligned table on a terminal, as CSV elsewhere, or as JSON lines. Collects at
// most TERM_TABLE_ROWS rows to find the columns' widths, prints those and then the rest.
enum {
    TERM_TABLE_ROWS = 1000
};
enum row_style {
    ROWS_CSV,
    ROWS_ALIGNED,
    ROWS_JSON
};
struct row_printer {
    enum row_style style;
    const struct schema *schema; // borrowed
    struct buf cells;            // texts of collected rows, NUL after each
    size_t n_rows;
    size_t *widths;
    bool header_done;
};
void row_printer_open(struct row_printer *printer, enum row_style style,
                      const struct schema *schema);
void row_printer_row(struct row_printer *printer, const struct value *row);
void row_printer_close(struct row_printer *printer); // prints what was collected

// Appends text as a JSON string with its quotes; bytes that are no UTF-8 become U+FFFD.
void term_json_string(struct buf *buf, struct str text);

#endif
