// SPDX-License-Identifier: Apache-2.0
// A difference as text: a table of the rows that are missing (-) and unexpected (+).
#include "base/text.h"
#include "testing/test_compare.h"

enum {
    CELL_MAX = 60,    // bytes of a cell that are shown
    LAST_MAX = 500,   // of the last one, as a reason is
    COLUMNS_MAX = 60, // of a table that are shown
    GAP = 2
};

#define RED   "\033[31m"
#define GREEN "\033[32m"
#define BOLD  "\033[1m"
#define PLAIN "\033[0m"

struct table_text {
    const struct test_difference *difference;
    size_t n_lines;            // shown
    size_t shown[COLUMNS_MAX]; // columns
    size_t n_shown;
    size_t widths[COLUMNS_MAX];
    struct arena arena;
    struct str *cells; // n_lines * n_shown
    struct str *names; // n_shown
    bool colour;
};

// What can be seen of a cell, and not too much.
static struct str cell_text(struct str cell, size_t room, struct arena *arena)
{
    char *text = arena_alloc(arena, room + 4);
    size_t n = text_visible(cell, text, room);
    if (n == room) {
        while (n > 0 && ((unsigned char)text[n - 1] & 0xC0) == 0x80)
            n--;
        n -= n > 0;
        memcpy(text + n, "…", 3);
        n += 3;
    }
    return (struct str){text, n};
}

static bool differs(const struct test_difference *difference, size_t line, size_t column)
{
    const struct test_line *this = &difference->lines[line];
    return this->is_pair &&
           !str_eq(this->cells[column], difference->lines[line - 1].cells[column]);
}

// Columns that differ come in any case; else from the first on.
static void choose_columns(struct table_text *text)
{
    const struct test_difference *difference = text->difference;
    size_t n = difference->n_columns, n_differing = 0;
    for (size_t c = 0; c < n; c++) {
        bool is_differing = false;
        for (size_t i = 0; i < text->n_lines; i++)
            is_differing |= differs(difference, i, c);
        n_differing += is_differing;
        if (text->n_shown < COLUMNS_MAX &&
            (is_differing || n <= COLUMNS_MAX ||
             text->n_shown - n_differing < COLUMNS_MAX / 2))
            text->shown[text->n_shown++] = c;
    }
}

static void make_cells(struct table_text *text)
{
    const struct test_difference *difference = text->difference;
    text->cells = arena_array(&text->arena, text->n_lines * text->n_shown + 1,
                              sizeof(*text->cells));
    text->names = arena_array(&text->arena, text->n_shown + 1, sizeof(*text->names));
    for (size_t k = 0; k < text->n_shown; k++) {
        text->names[k] =
            cell_text(difference->columns[text->shown[k]], CELL_MAX, &text->arena);
        text->widths[k] = str_display_width(text->names[k]);
    }
    for (size_t i = 0; i < text->n_lines; i++) {
        for (size_t k = 0; k < text->n_shown; k++) {
            struct str cell =
                cell_text(difference->lines[i].cells[text->shown[k]],
                          k + 1 < text->n_shown ? CELL_MAX : LAST_MAX, &text->arena);
            text->cells[i * text->n_shown + k] = cell;
            size_t width = str_display_width(cell);
            if (width > text->widths[k])
                text->widths[k] = width;
        }
    }
}

static void put_padded(struct str cell, size_t width, struct buf *ret)
{
    buf_str(ret, cell);
    for (size_t n = str_display_width(cell); n < width; n++)
        buf_char(ret, ' ');
}

static void trim_end(struct buf *ret)
{
    while (ret->n > 0 && ret->p[ret->n - 1] == ' ')
        ret->n--;
}

static void put_names(const struct table_text *text, struct buf *ret)
{
    buf_text(ret, "      line");
    for (size_t k = 0; k < text->n_shown; k++) {
        buf_text(ret, "  ");
        put_padded(text->names[k], text->widths[k], ret);
    }
    trim_end(ret);
    buf_char(ret, '\n');
}

// "<- date, kind": for those that see no colours.
static void put_differing(const struct table_text *text, size_t line, struct buf *ret)
{
    const struct test_difference *difference = text->difference;
    const char *before = "  <- ";
    for (size_t c = 0; c < difference->n_columns; c++) {
        if (!differs(difference, line, c))
            continue;
        buf_text(ret, before);
        text_put_visible(ret, difference->columns[c]);
        before = ", ";
    }
}

static void put_line(const struct table_text *text, size_t i, struct buf *ret)
{
    const struct test_line *line = &text->difference->lines[i];
    const char *colour = line->is_expected ? RED : GREEN;
    if (text->colour)
        buf_text(ret, colour);
    buf_printf(ret, "    %c", line->is_expected ? '-' : '+');
    if (line->line > 0)
        buf_printf(ret, " %4zu", line->line);
    else
        buf_text(ret, "     ");
    for (size_t k = 0; k < text->n_shown; k++) {
        bool bold = text->colour && differs(text->difference, i, text->shown[k]);
        buf_text(ret, "  ");
        buf_text(ret, bold ? BOLD : "");
        put_padded(text->cells[i * text->n_shown + k], text->widths[k], ret);
        buf_text(ret, bold ? PLAIN : "");
        buf_text(ret, bold ? colour : "");
    }
    put_differing(text, i, ret);
    trim_end(ret);
    if (text->colour)
        buf_text(ret, PLAIN);
    buf_char(ret, '\n');
}

static void put_title(const struct test_difference *difference, struct buf *ret)
{
    if (str_is(difference->title, "executors")) {
        buf_text(ret, "  the native executor gives other rows than sqlite (-), which is "
                      "a fault of tramline's:\n");
        return;
    }
    bool is_reject = str_is(difference->title, "reject");
    buf_printf(ret, "  %.*s, %s:%zu: %zu %s as expected, %zu missing, %zu unexpected\n",
               STR_ARGS(difference->title), difference->file, difference->line,
               difference->n_same,
               is_reject                 ? "rejected"
               : difference->n_same == 1 ? "row"
                                         : "rows",
               difference->n_missing, difference->n_unexpected);
}

static void show(const struct test_difference *difference, bool colour, struct buf *ret)
{
    struct table_text text = {
        .difference = difference, .n_lines = difference->n_lines, .colour = colour};
    if (text.n_lines > TEST_SHOWN_MAX)
        text.n_lines = TEST_SHOWN_MAX;
    choose_columns(&text);
    make_cells(&text);
    put_title(difference, ret);
    put_names(&text, ret);
    for (size_t i = 0; i < text.n_lines; i++)
        put_line(&text, i, ret);
    if (text.n_lines < difference->n_lines)
        buf_printf(ret, "    and %zu more\n", difference->n_lines - text.n_lines);
    if (text.n_shown < difference->n_columns)
        buf_printf(ret, "    (%zu of %zu columns)\n", text.n_shown,
                   difference->n_columns);
    arena_release(&text.arena);
}

void test_differences_show(const struct test_differences *differences, bool colour,
                           struct buf *ret)
{
    for (size_t i = 0; i < differences->n; i++)
        show(&differences->items[i], colour, ret);
}
