// SPDX-License-Identifier: Apache-2.0
// Any bytes as the cells of rows and as lines, on a terminal: what is shown is UTF-8, and
// of control characters has line ends only. The first byte says in which style, the next
// how wide the terminal is; cells are parted by zero bytes.
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz_parts.h"

#include "cli/row_printer.h"
#include "cli/term.h"

const struct fuzz_budget fuzz_budget = {
    .steps = 30000,
    .steps_a_byte = 3000,
    .bytes = 1 << 20,
    .bytes_a_byte = 3000,
    .held = 500000,
    .held_a_byte = 1000,
};

enum {
    COLUMNS = 4
};

int __wrap_isatty(int fd);

// The linker leads the program's question here: stdout is always a terminal.
int __wrap_isatty(int fd)
{
    return fd == STDOUT_FILENO;
}

static int shown_fd = -1;

static void begin_showing(void)
{
    if (shown_fd < 0) {
        char path[40];
        shown_fd = memfd_create("shown", MFD_CLOEXEC);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", shown_fd);
        bool good = shown_fd >= 0 && freopen(path, "w", stdout) != NULL;
        assert(good);
    }
    rewind(stdout);
    bool good = ftruncate(shown_fd, 0) == 0;
    assert(good);
}

static void check_shown(void)
{
    fflush(stdout);
    off_t n = lseek(shown_fd, 0, SEEK_END);
    char *text = malloc((size_t)n + 1);
    bool good = pread(shown_fd, text, (size_t)n, 0) == n;
    assert(good);
    struct str shown = {text, (size_t)n};
    assert(str_utf8_valid(shown) == shown.n);
    for (size_t i = 0; i < shown.n; i++) {
        unsigned char c = (unsigned char)text[i];
        assert(c == '\n' || c == '\t' || (c >= 0x20 && c != 0x7F));
        assert(!(c == 0xC2 && (unsigned char)text[i + 1] < 0xA0));
    }
    free(text);
}

static void print_rows(enum row_style style, size_t width, struct str rest)
{
    struct column columns[COLUMNS] = {{{"a", 1}, TYPE_TEXT, true},
                                      {{"second", 6}, TYPE_TEXT, true},
                                      {{"c", 1}, TYPE_BYTES, true},
                                      {{"d", 1}, TYPE_TEXT, true}};
    struct schema schema = {columns, COLUMNS};
    struct row_printer printer;
    row_printer_open(&printer, style, &schema);
    printer.width = width;
    while (rest.n > 0) {
        struct value row[COLUMNS] = {0};
        for (size_t i = 0; i < COLUMNS && rest.n > 0; i++) {
            struct str cell = str_cut(&rest, '\0');
            bool is_bytes = columns[i].type == TYPE_BYTES;
            if (!is_bytes)
                cell.n = str_utf8_valid(cell);
            row[i] = value_text(cell);
            row[i].kind = is_bytes ? VALUE_BYTES : VALUE_TEXT;
        }
        row_printer_row(&printer, row);
    }
    row_printer_close(&printer);
}

void fuzz_input(const uint8_t *data, size_t size)
{
    struct str rest = {(const char *)data, size};
    unsigned style = fuzz_byte(&rest);
    size_t width = fuzz_byte(&rest);
    struct str copy = fuzz_copy(rest);
    begin_showing();
    if (style % 4 < 3)
        print_rows((enum row_style)(style % 4), width, copy);
    else
        term_put_lines(copy);
    term_put_lines(STR_LITERAL("\n")); // no character goes on behind it
    term_put(copy);
    check_shown();
    free((char *)copy.p);
}
