// SPDX-License-Identifier: Apache-2.0
#include "cli/term.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/env.h"
#include "csv/encoder.h"

enum {
    RING = 8,
    NUMBER_TEXT = 32,
    BAR_CELLS = 24,
    CELL_MAX = 40
};

static char ring[RING][NUMBER_TEXT];
static unsigned ring_at;

static char *next_text(void)
{
    return ring[ring_at++ % RING];
}

bool term_is_out(void)
{
    return isatty(STDOUT_FILENO);
}

bool term_is_err(void)
{
    return isatty(STDERR_FILENO);
}

const char *term_count(int64_t n)
{
    char digits[24];
    int length = snprintf(digits, sizeof(digits), "%lld", (long long)n);
    char *text = next_text();
    int at = 0;
    for (int i = 0; i < length; i++) {
        text[at++] = digits[i];
        int left = length - 1 - i;
        if (left > 0 && left % 3 == 0 && digits[i] != '-')
            text[at++] = ',';
    }
    text[at] = '\0';
    return text;
}

const char *term_bytes(int64_t n)
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB"};
    double size = (double)n;
    size_t unit = 0;
    for (; size >= 1024 && unit + 1 < ARRAY_LEN(units); unit++)
        size /= 1024;
    char *text = next_text();
    snprintf(text, NUMBER_TEXT, unit ? "%.1f %s" : "%.0f %s", size, units[unit]);
    return text;
}

const char *term_seconds(int64_t ms)
{
    char *text = next_text();
    snprintf(text, NUMBER_TEXT, "%lld.%lld s", (long long)(ms / 1000),
             (long long)(ms % 1000 / 100));
    return text;
}

static int64_t now_ms(void)
{
    struct env *env = env_system();
    return env->ops->monotonic_ms(env);
}

void progress_begin(struct progress *progress, const char *what, const char *unit)
{
    *progress = (struct progress){.what = what, .unit = unit, .begun_ms = now_ms()};
}

static const char *amount(const struct progress *progress, int64_t n)
{
    return progress->unit ? term_count(n) : term_bytes(n);
}

void progress_show(struct progress *progress, int64_t done, int64_t total)
{
    int64_t now = now_ms();
    if (!term_is_err() || now - progress->shown_ms < 100)
        return;
    progress->shown_ms = now;
    progress->drawn = true;
    int64_t ms = now - progress->begun_ms;
    const char *unit = progress->unit ? progress->unit : "";
    if (total <= 0) {
        fprintf(stderr, "\r\033[K%s  %s %s  %s", progress->what, amount(progress, done),
                unit, term_seconds(ms));
        return;
    }
    int full = (int)(done >= total ? BAR_CELLS : done * BAR_CELLS / total);
    fprintf(stderr, "\r\033[K%s  [%.*s%*s] %3lld%%  %s %s  %s", progress->what, full,
            "========================", BAR_CELLS - full, "",
            (long long)(done * 100 / total), amount(progress, done), unit,
            term_seconds(ms));
}

void progress_end(struct progress *progress)
{
    if (progress->drawn)
        fputs("\r\033[K", stderr);
    progress->drawn = false;
}

void term_json_string(struct buf *buf, struct str text)
{
    buf_char(buf, '"');
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c == '"' || c == '\\')
            buf_printf(buf, "\\%c", c);
        else if (c == '\n')
            buf_text(buf, "\\n");
        else if (c < 0x20)
            buf_printf(buf, "\\u%04x", c);
        else if (c < 0x80)
            buf_char(buf, (char)c);
        else {
            struct str rest = {text.p + i, text.n - i};
            size_t length = 2;
            while (length <= 4 && length <= rest.n &&
                   str_utf8_valid((struct str){rest.p, length}) != length)
                length++;
            if (length > 4 || length > rest.n) {
                buf_text(buf, "\xEF\xBF\xBD");
                continue;
            }
            buf_append(buf, rest.p, length);
            i += length - 1;
        }
    }
    buf_char(buf, '"');
}

void row_printer_open(struct row_printer *printer, enum row_style style,
                      const struct schema *schema)
{
    *printer = (struct row_printer){.style = style, .schema = schema};
    printer->widths = mem_array(schema->n, sizeof(size_t));
    for (size_t c = 0; c < schema->n; c++)
        printer->widths[c] = str_display_width(schema->columns[c].name);
}

static void print_json(const struct schema *schema, const struct value *row)
{
    struct buf line = {0};
    for (size_t c = 0; c < schema->n; c++) {
        buf_char(&line, c ? ',' : '{');
        term_json_string(&line, schema->columns[c].name);
        buf_char(&line, ':');
        if (row[c].kind == VALUE_NULL)
            buf_text(&line, "null");
        else if (row[c].kind == VALUE_TEXT || row[c].kind == VALUE_BYTES)
            term_json_string(&line, value_str(row[c]));
        else
            value_format(row[c], &line);
    }
    buf_text(&line, "}\n");
    fwrite(line.p, 1, line.n, stdout);
    buf_release(&line);
}

static void print_csv(struct row_printer *printer, const struct value *row)
{
    struct encoder *encoder = csv_encoder_open(printer->schema, true);
    struct buf line = {0}, out = {0};
    if (!printer->header_done && encoder->ops->begin(encoder, &out, NULL) == ST_OK)
        fwrite(out.p, 1, out.n, stdout);
    printer->header_done = true;
    if (row != NULL) {
        encoder->ops->fields(encoder, 0, row, printer->schema->n, &line);
        encoder->ops->end_row(encoder, &line);
        fwrite(line.p, 1, line.n, stdout);
    }
    buf_release(&line);
    buf_release(&out);
    encoder->ops->close(encoder);
}

static void print_cell(struct str text, size_t width, bool last)
{
    size_t columns = str_display_width(text);
    fwrite(text.p, 1, text.n, stdout);
    if (!last)
        printf("%*s", (int)(width > columns ? width - columns + 2 : 2), "");
}

static void print_collected(struct row_printer *printer)
{
    const struct schema *schema = printer->schema;
    for (size_t c = 0; c < schema->n && !printer->header_done; c++)
        print_cell(schema->columns[c].name, printer->widths[c], c + 1 == schema->n);
    if (!printer->header_done)
        putchar('\n');
    printer->header_done = true;
    const char *cell = printer->cells.p;
    for (size_t r = 0; r < printer->n_rows; r++) {
        for (size_t c = 0; c < schema->n; c++) {
            print_cell(str_of(cell), printer->widths[c], c + 1 == schema->n);
            cell += strlen(cell) + 1;
        }
        putchar('\n');
    }
    buf_clear(&printer->cells);
    printer->n_rows = 0;
}

static void collect(struct row_printer *printer, const struct value *row)
{
    for (size_t c = 0; c < printer->schema->n; c++) {
        size_t from = printer->cells.n;
        value_format(row[c], &printer->cells);
        for (size_t i = from; i < printer->cells.n; i++)
            if ((unsigned char)printer->cells.p[i] < 0x20)
                printer->cells.p[i] = ' '; // a cell is one line
        struct str text = {printer->cells.p + from, printer->cells.n - from};
        size_t width = str_display_width(text);
        if (width > CELL_MAX)
            width = CELL_MAX;
        if (width > printer->widths[c])
            printer->widths[c] = width;
        buf_char(&printer->cells, '\0');
    }
    if (++printer->n_rows == TERM_TABLE_ROWS)
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
    if (printer->style == ROWS_ALIGNED)
        print_collected(printer);
    buf_release(&printer->cells);
    free(printer->widths);
    *printer = (struct row_printer){0};
}
