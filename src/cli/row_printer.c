// SPDX-License-Identifier: Apache-2.0
#include "cli/row_printer.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/json_put.h"
#include "base/text.h"
#include "cli/json_print.h"
#include "cli/term.h"
#include "csv/row_format.h"

enum {
    CELL_MAX = 40, // width of a cell; longer ones are cut when the table must be fitted
    GAP = 2        // between columns
};

enum row_style row_style(bool json, bool csv, bool table)
{
    if (json)
        return ROWS_JSON;
    return csv || (!term_is_out() && !table) ? ROWS_CSV : ROWS_ALIGNED;
}

enum row_style row_style_of(const struct args *args)
{
    return row_style(args_has(args, "--json"), args_has(args, "--csv"),
                     args_has(args, "--table"));
}

void row_printer_open(struct row_printer *printer, enum row_style style,
                      const struct schema *schema)
{
    *printer = (struct row_printer){
        .style = style, .schema = schema, .width = term_width(), .n_first = schema->n};
    printer->widths = mem_array(schema->n, sizeof(size_t));
    for (size_t c = 0; c < schema->n; c++)
        printer->widths[c] = str_display_width(schema->columns[c].name);
}

static void print_json(const struct schema *schema, const struct value *row)
{
    AUTO(buf_release) struct buf line = {0};
    json_put_open(&line, NULL, '{');
    for (size_t c = 0; c < schema->n; c++) {
        json_put_name(&line, schema->columns[c].name);
        value_json(&line, NULL, row[c]);
    }
    json_put_close(&line, '}');
    json_print(&line);
}

static void print_csv(struct row_printer *printer, const struct value *row)
{
    struct row_format *row_format = csv_row_format_open(printer->schema);
    struct buf lines = {0};
    if (!printer->header_done)
        csv_put_names(row_format, &lines);
    printer->header_done = true;
    if (row != NULL) {
        row_format->ops->fields(row_format, 0, row, printer->schema->n, &lines);
        row_format->ops->end_row(row_format, &lines);
    }
    term_put_lines(buf_as_str(&lines));
    buf_release(&lines);
    row_format->ops->close(row_format);
}

// Bytes of the first character.
static size_t first_character(struct str text)
{
    size_t n = 1;
    while (n < text.n && ((unsigned char)text.p[n] & 0xC0) == 0x80)
        n++;
    return n;
}

// Prints at most `width` columns of the terminal; what is cut ends with "…".
static void print_text(struct str text, size_t width)
{
    if (str_display_width(text) <= width) {
        fwrite(text.p, 1, text.n, stdout);
        return;
    }
    size_t n = 0, used = 1; // "…"
    while (n < text.n) {
        struct str rest = {text.p + n, text.n - n};
        rest.n = first_character(rest);
        used += str_display_width(rest);
        if (used > width)
            break;
        n += rest.n;
    }
    printf("%.*s…", (int)n, text.p);
}

static bool is_fitted(const struct row_printer *printer)
{
    return printer->n_first + printer->n_last < printer->schema->n;
}

static bool is_shown(const struct row_printer *printer, size_t c)
{
    return c < printer->n_first || c >= printer->schema->n - printer->n_last;
}

static void print_line(const struct row_printer *printer, const struct str *cells)
{
    size_t n = printer->schema->n;
    for (size_t c = 0; c < n; c++) {
        if (c == printer->n_first && is_fitted(printer))
            printf("…%*s", c + 1 < n && printer->n_last ? GAP : 0, "");
        if (!is_shown(printer, c))
            continue;
        size_t width = printer->widths[c], used = str_display_width(cells[c]);
        print_text(cells[c], is_fitted(printer) ? width : used);
        if (c + 1 < n)
            printf("%*s", (int)(width > used ? width - used + GAP : GAP), "");
    }
    putchar('\n');
}

// Takes columns from both ends, in turn, as long as they fit beside the "…".
static void fit(struct row_printer *printer)
{
    size_t n = printer->schema->n, total = 0;
    for (size_t c = 0; c < n; c++)
        total += printer->widths[c] + (c ? GAP : 0);
    printer->n_first = n;
    printer->n_last = 0;
    if (printer->width == 0 || total <= printer->width)
        return;
    size_t used = 1; // "…"
    printer->n_first = 0;
    while (printer->n_first + printer->n_last < n) {
        bool first = printer->n_first <= printer->n_last;
        size_t c = first ? printer->n_first : n - 1 - printer->n_last;
        if (used + printer->widths[c] + GAP > printer->width && printer->n_first > 0)
            return;
        used += printer->widths[c] + GAP;
        *(first ? &printer->n_first : &printer->n_last) += 1;
    }
}

static void print_header(struct row_printer *printer, struct str *cells)
{
    if (printer->header_done)
        return;
    fit(printer);
    for (size_t c = 0; c < printer->schema->n; c++)
        cells[c] = printer->schema->columns[c].name;
    print_line(printer, cells);
    printer->header_done = true;
}

static void print_collected(struct row_printer *printer)
{
    size_t n = printer->schema->n;
    struct str *cells = mem_array(n, sizeof(*cells));
    print_header(printer, cells);
    const char *cell = printer->cells.p;
    for (size_t r = 0; r < printer->n_rows; r++) {
        for (size_t c = 0; c < n; c++) {
            cells[c] = str_of(cell);
            cell += cells[c].n + 1;
        }
        print_line(printer, cells);
    }
    free(cells);
    buf_clear(&printer->cells);
    printer->n_rows = 0;
}

// A cell is one line, of what can be seen.
static void put_cell(struct row_printer *printer, struct value value)
{
    struct buf *text = &printer->text;
    buf_clear(text);
    value_format(value, text);
    for (size_t i = 0; i < text->n; i++)
        if (strchr("\t\r\n", text->p[i]) != NULL && text->p[i] != '\0')
            text->p[i] = ' ';
    text_put_visible(&printer->cells, buf_as_str(text));
}

static void collect(struct row_printer *printer, const struct value *row)
{
    for (size_t c = 0; c < printer->schema->n; c++) {
        size_t from = printer->cells.n;
        put_cell(printer, row[c]);
        struct str text = {printer->cells.p, printer->cells.n}; // no address yet: empty
        text =
            text.n > from ? (struct str){text.p + from, text.n - from} : (struct str){0};
        size_t width = str_display_width(text);
        if (width > CELL_MAX)
            width = CELL_MAX;
        if (width > printer->widths[c] && !printer->header_done)
            printer->widths[c] = width;
        buf_char(&printer->cells, '\0');
    }
    if (++printer->n_rows == ROW_PRINTER_ROWS)
        print_collected(printer);
}

void row_printer_row(struct row_printer *printer, const struct value *row)
{
    if (printer->style == ROWS_JSON)
        print_json(printer->schema, row);
    else if (printer->style == ROWS_CSV)
        print_csv(printer, row);
    else
        collect(printer, row);
}

void row_printer_close(struct row_printer *printer)
{
    if (printer->style == ROWS_CSV && !printer->header_done)
        print_csv(printer, NULL);
    if (printer->style == ROWS_ALIGNED) {
        print_collected(printer);
        if (is_fitted(printer))
            printf("(%zu of %zu columns; --json or --csv shows all)\n",
                   printer->n_first + printer->n_last, printer->schema->n);
    }
    buf_release(&printer->cells);
    buf_release(&printer->text);
    free(printer->widths);
    *printer = (struct row_printer){0};
}
