// SPDX-License-Identifier: Apache-2.0
#include "cli/term.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/text.h"
#include "core/env.h"

enum {
    BAR_CELLS = 24
};

bool term_is_out(void)
{
    return isatty(STDOUT_FILENO);
}

bool term_is_err(void)
{
    return isatty(STDERR_FILENO);
}

// Whether it takes more than plain text.
static bool takes_sequences(int fd)
{
    const char *kind = getenv("TERM");
    return isatty(fd) && kind != NULL && kind[0] != '\0' && strcmp(kind, "dumb") != 0;
}

bool term_takes_sequences(void)
{
    return takes_sequences(STDOUT_FILENO);
}

// https://no-color.org
static bool takes_colour(int fd)
{
    const char *refused = getenv("NO_COLOR");
    return takes_sequences(fd) && (refused == NULL || refused[0] == '\0');
}

bool term_has_colour_out(void)
{
    return takes_colour(STDOUT_FILENO);
}

bool term_has_colour_err(void)
{
    return takes_colour(STDERR_FILENO);
}

static size_t width_of(int fd)
{
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    const char *columns = getenv("COLUMNS");
    long n = columns ? strtol(columns, NULL, 10) : 0;
    return n > 0 ? (size_t)n : 0;
}

size_t term_width(void)
{
    return width_of(STDOUT_FILENO);
}

size_t term_width_err(void)
{
    return width_of(STDERR_FILENO);
}

void term_put(struct str text)
{
    AUTO(buf_release) struct buf visible = {0};
    text_put_visible(&visible, text);
    if (visible.n > 0)
        fwrite(visible.p, 1, visible.n, stdout);
}

// Bytes at the end that begin a character of UTF-8 and are not all of it.
static size_t unfinished(struct str text)
{
    for (size_t n = 1; n <= 3 && n <= text.n; n++) {
        unsigned char c = (unsigned char)text.p[text.n - n];
        if (c >= 0xC0)
            return n < (c >= 0xF0 ? 4U : c >= 0xE0 ? 3U : 2U) ? n : 0;
        if (c < 0x80)
            break;
    }
    return 0;
}

static void put_visible_lines(struct str text)
{
    while (text.n > 0) {
        size_t n = 0;
        while (n < text.n && text.p[n] != '\n' && text.p[n] != '\t')
            n++;
        term_put((struct str){text.p, n});
        if (n < text.n)
            putchar(text.p[n++]);
        text = (struct str){text.p + n, text.n - n};
    }
}

void term_put_lines(struct str text)
{
    static char begun[4]; // of a character, from the piece before
    static size_t n_begun;
    if (text.n == 0)
        return;
    if (!term_is_out()) {
        fwrite(text.p, 1, text.n, stdout);
        return;
    }
    AUTO(buf_release) struct buf whole = {0};
    buf_append(&whole, begun, n_begun);
    buf_str(&whole, text);
    n_begun = unfinished(buf_as_str(&whole));
    whole.n -= n_begun;
    if (n_begun > 0)
        memcpy(begun, whole.p + whole.n, n_begun);
    put_visible_lines(buf_as_str(&whole));
}

static int64_t now_ms(void)
{
    struct env *env = env_system();
    return env->ops->monotonic_ms(env);
}

void progress_begin(struct progress_bar *progress, const char *what, const char *unit)
{
    *progress = (struct progress_bar){.what = what, .unit = unit, .begun_ms = now_ms()};
}

static const char *amount(const struct progress_bar *progress, int64_t n)
{
    return progress->unit ? text_count(n) : text_bytes(n);
}

// A line that the terminal broke in two could not be taken back.
static void redraw(struct str line)
{
    size_t width = width_of(STDERR_FILENO), n = line.n;
    if (width > 0 && n >= width)
        n = width - 1;
    while (n < line.n && n > 0 && ((unsigned char)line.p[n] & 0xC0) == 0x80)
        n--; // not within a character
    fprintf(stderr, "\r\033[K%.*s", (int)n, line.p);
}

void progress_show(struct progress_bar *progress, int64_t done, int64_t total)
{
    int64_t now = now_ms();
    if (!takes_sequences(STDERR_FILENO) || now - progress->shown_ms < 100)
        return;
    progress->shown_ms = now;
    progress->drawn = true;
    int64_t ms = now - progress->begun_ms;
    AUTO(buf_release) struct buf line = {0};
    buf_printf(&line, "%s  ", progress->what);
    if (total > 0) {
        int full = (int)(done >= total ? BAR_CELLS : done * BAR_CELLS / total);
        buf_printf(&line, "[%.*s%*s] %3lld%%  ", full,
                   "========================", BAR_CELLS - full, "",
                   (long long)(done * 100 / total));
    }
    const char *unit = progress->unit ? progress->unit : "";
    buf_printf(&line, "%s %s  %s", amount(progress, done), unit, text_seconds(ms));
    redraw(buf_as_str(&line));
}

void progress_end(struct progress_bar *progress)
{
    if (progress->drawn)
        fputs("\r\033[K", stderr);
    progress->drawn = false;
}
