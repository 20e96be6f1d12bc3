// SPDX-License-Identifier: Apache-2.0
// Rows on stdout: as an aligned table, as CSV, or as JSON lines.
//
// An aligned table collects at most ROW_PRINTER_ROWS rows to find the columns' widths,
// prints those and then goes on with the next. Where the terminal is too narrow for all
// columns the middle ones are left out, and a last line says so. One thread.
#ifndef CLI_ROW_PRINTER_H
#define CLI_ROW_PRINTER_H

#include "base/buf.h"
#include "cli/args.h"
#include "core/schema.h"

enum {
    ROW_PRINTER_ROWS = 1000
};

enum row_style {
    ROWS_CSV,
    ROWS_ALIGNED,
    ROWS_JSON
};

struct row_printer {
    enum row_style style;
    const struct schema *schema; // borrowed
    size_t width;                // of the terminal; 0: no limit
    struct buf text;             // of one cell
    struct buf cells;            // texts of collected rows, NUL after each
    size_t n_rows;
    size_t *widths;
    size_t n_first, n_last; // columns shown; all when they add up to the schema's
    bool header_done;
};

// As flags ask for; without one aligned on a terminal, else CSV.
enum row_style row_style(bool json, bool csv, bool table);
// By --json, --csv or --table of a command that has them; else what stdout is.
enum row_style row_style_of(const struct args *args);
void row_printer_open(struct row_printer *printer, enum row_style style,
                      const struct schema *schema);
void row_printer_row(struct row_printer *printer, const struct value *row);
void row_printer_close(struct row_printer *printer); // prints what was collected

#endif
