// SPDX-License-Identifier: Apache-2.0
#include "sql/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/hash.h"
#include "base/text.h"
#include "sql/plan.h"

enum {
    ERRORS_SHOWN = 50,
    SHOWN_LINE_MAX = 200, // bytes of a long line before its error
    WIDTH_MIN = 20,       // a narrower place is not fitted
};

static char *format(struct arena *arena, const char *fmt, va_list args)
{
    char text[ERR_TEXT_MAX];
    vsnprintf(text, sizeof(text), fmt, args);
    struct str s = str_of(text);
    return arena_cstr(arena, (struct str){s.p, str_utf8_valid(s)});
}

// Its place in the index: where the entry is, or where it would be (0).
static size_t *index_of(const struct report *report, size_t at, const char *text)
{
    size_t mask = report->n_index - 1;
    uint64_t hash = hash64(&at, sizeof(at)) ^ hash64(text, strlen(text));
    for (size_t i = (size_t)hash & mask;; i = (i + 1) & mask) {
        size_t *place = &report->index[i];
        if (*place == 0)
            return place;
        const struct report_entry *entry = &report->entries[*place - 1];
        if (entry->at == at && strcmp(entry->text, text) == 0)
            return place;
    }
}

// Twice as many places as there are entries, at least.
static void grow_index(struct report *report)
{
    if (report->n * 2 < report->n_index)
        return;
    free(report->index);
    report->n_index = report->n_index ? report->n_index * 2 : 64;
    report->index = mem_array(report->n_index, sizeof(*report->index));
    for (size_t i = 0; i < report->n; i++) {
        const struct report_entry *entry = &report->entries[i];
        *index_of(report, entry->at, entry->text) = i + 1;
    }
}

void report_error(struct report *report, size_t at, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    const char *text = format(report->arena, fmt, args);
    va_end(args);
    if (at != NOWHERE && at > report->text.n)
        at = report->text.n;
    grow_index(report);
    size_t *place = index_of(report, at, text);
    report->repeated = *place != 0;
    if (report->repeated)
        return;
    MEM_GROW(report->entries, report->n, report->capacity);
    report->entries[report->n] = (struct report_entry){at, report->n, text, NULL};
    *place = ++report->n;
}

void report_hint(struct report *report, const char *fmt, ...)
{
    if (report->repeated || report->n == 0)
        return;
    va_list args;
    va_start(args, fmt);
    report->entries[report->n - 1].hint = format(report->arena, fmt, args);
    va_end(args);
}

static void add_line(struct report *report, size_t *capacity, size_t start)
{
    MEM_GROW(report->lines, report->n_lines, *capacity);
    report->lines[report->n_lines++] = start;
}

static void find_lines(struct report *report)
{
    size_t capacity = 0;
    add_line(report, &capacity, 0);
    for (size_t i = 0; i < report->text.n; i++)
        if (report->text.p[i] == '\n')
            add_line(report, &capacity, i + 1);
}

size_t report_line(struct report *report, size_t at)
{
    if (report->n_lines == 0)
        find_lines(report);
    size_t from = 0, to = report->n_lines; // the last that begins at or before it
    while (to - from > 1) {
        size_t middle = from + (to - from) / 2;
        if (report->lines[middle] <= at)
            from = middle;
        else
            to = middle;
    }
    return from + 1;
}

size_t report_line_start(struct report *report, size_t line)
{
    if (report->n_lines == 0)
        find_lines(report);
    return line <= report->n_lines ? report->lines[line - 1] : report->text.n;
}

static size_t line_start(struct str text, size_t at)
{
    while (at > 0 && text.p[at - 1] != '\n')
        at--;
    return at;
}

static size_t line_end(struct str text, size_t at)
{
    while (at < text.n && text.p[at] != '\n' && text.p[at] != '\r')
        at++;
    return at;
}

// A tab counts and shows as one column; what no terminal shows is a question mark.
static void append_shown(struct buf *out, struct str s)
{
    while (s.n > 0) {
        size_t good = str_utf8_valid(s);
        for (size_t i = 0; i < good; i++) {
            bool control = (unsigned char)s.p[i] < ' ' || s.p[i] == 127;
            buf_char(out, s.p[i] == '\t' ? ' ' : control ? '?' : s.p[i]);
        }
        if (good < s.n)
            buf_char(out, '?');
        good += good < s.n;
        s = (struct str){s.p + good, s.n - good};
    }
}

static size_t columns_of(struct str s)
{
    struct buf buf = {0};
    append_shown(&buf, s);
    size_t n = str_display_width(buf_as_str(&buf));
    buf_release(&buf);
    return n;
}

// Where to begin to show a line that is long before `at`, at a character's first byte.
static size_t shown_from(struct str text, size_t start, size_t at)
{
    if (at - start <= SHOWN_LINE_MAX)
        return start;
    size_t from = at - SHOWN_LINE_MAX / 2;
    while (from < at && (text.p[from] & 0xC0) == 0x80)
        from++;
    return from;
}

static size_t shown_to(struct str text, size_t at, size_t end)
{
    if (end - at <= SHOWN_LINE_MAX)
        return end;
    end = at + SHOWN_LINE_MAX;
    while (end > at && (text.p[end] & 0xC0) == 0x80)
        end--;
    return end;
}

static void print_place(struct report *report, size_t at, struct buf *out)
{
    size_t start = line_start(report->text, at);
    struct str before = {report->text.p + start, at - start};
    buf_printf(out, ":%zu:%zu", report_line(report, at), columns_of(before) + 1);
}

static size_t columns_between(struct str text, size_t from, size_t to)
{
    return columns_of((struct str){text.p + from, to - from});
}

static size_t next_character(struct str text, size_t at)
{
    at++;
    while (at < text.n && (text.p[at] & 0xC0) == 0x80)
        at++;
    return at;
}

static size_t last_character(struct str text, size_t at)
{
    at--;
    while (at > 0 && (text.p[at] & 0xC0) == 0x80)
        at--;
    return at;
}

// What is shown of a line, and whether marks say that it was cut.
struct shown {
    size_t from, to;
    bool cut_front, cut_end;
};

// A line that a terminal broke in two would have its caret at a wrong place.
static void fit(const struct report *report, size_t at, struct shown *shown)
{
    struct str text = report->text;
    size_t indent = 2, marks = 2, spare = 1;
    if (report->width < WIDTH_MIN ||
        columns_between(text, shown->from, shown->to) + indent + spare <= report->width)
        return;
    size_t most = report->width - indent - marks - spare;
    while (columns_between(text, shown->from, at) > most / 2 &&
           columns_between(text, shown->from, shown->to) > most) {
        shown->from = next_character(text, shown->from);
        shown->cut_front = true;
    }
    while (shown->to > at && columns_between(text, shown->from, shown->to) > most) {
        shown->to = last_character(text, shown->to);
        shown->cut_end = true;
    }
}

static void print_source(const struct report *report, size_t at, struct buf *out)
{
    struct str text = report->text;
    struct shown shown = {
        .from = shown_from(text, line_start(text, at), at),
        .to = shown_to(text, at, line_end(text, at)),
    };
    fit(report, at, &shown);
    buf_text(out, shown.cut_front ? "  …" : "  ");
    append_shown(out, (struct str){text.p + shown.from, shown.to - shown.from});
    buf_text(out, shown.cut_end ? "…\n  " : "\n  ");
    for (size_t n = columns_between(text, shown.from, at) + shown.cut_front; n > 0; n--)
        buf_char(out, ' ');
    buf_text(out, "^\n");
}

static void print_entry(struct report *report, const struct report_entry *entry,
                        struct buf *out)
{
    buf_str(out, report->name);
    if (entry->at != NOWHERE)
        print_place(report, entry->at, out);
    buf_printf(out, ": error: %s\n", entry->text);
    if (entry->at != NOWHERE)
        print_source(report, entry->at, out);
    if (entry->hint != NULL)
        buf_printf(out, "  hint: %s\n", entry->hint);
}

static int by_place(const void *a, const void *b)
{
    const struct report_entry *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

// Values of secret options and logins in addresses, which an excerpt may show.

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || c == '.' || c == '-';
}

// Also of options that there are not: a mistyped one has its value all the same.
static bool names_secret(struct str word)
{
    static const char *const parts[] = {"passw", "pasw",  "pssw", "pwd",     "secret",
                                        "secrt", "token", "tokn", "key.pem", "jaas"};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        for (size_t at = 0, n = strlen(parts[i]); at + n <= word.n; at++)
            if (strncasecmp(word.p + at, parts[i], n) == 0)
                return true;
    return false;
}

// Behind a name: its quote, blanks, an '=', and the literal's own.
static size_t skip_to_literal(struct str text, size_t at)
{
    while (at < text.n && memchr("\" \t\r\n='", text.p[at], 8) != NULL)
        at += 1;
    return at;
}

// Stars up to the quote that ends it; a variable's name may be seen.
static size_t hide_literal(char *text, size_t n, size_t at)
{
    bool is_quoted = at > 0 && text[at - 1] == '\'';
    bool is_variable = at + 1 < n && text[at] == '$' && text[at + 1] == '{';
    const char *ends = is_quoted ? "'\n" : ",); \t\r\n";
    for (; at < n &&
           (strchr(ends, text[at]) == NULL ||
            (is_quoted && at + 1 < n && text[at] == '\'' && text[at + 1] == '\''));
         at++) {
        bool is_doubled = text[at] == '\'';
        if (!is_variable)
            text[at] = '*';
        if (is_doubled && !is_variable)
            text[++at] = '*';
    }
    return at;
}

static void hide_secrets(struct report *report)
{
    char *text = arena_cstr(report->arena, report->text);
    size_t n = report->text.n;
    for (size_t at = 0; at < n;) {
        size_t end = at;
        while (end < n && is_word(text[end]))
            end++;
        if (end == at) {
            at++;
            continue;
        }
        bool is_secret = names_secret((struct str){text + at, end - at});
        size_t literal = skip_to_literal((struct str){text, n}, end);
        bool has_value = literal > end && memchr(text + end, '\n', literal - end) == NULL;
        has_value = has_value && (memchr(text + end, '=', literal - end) != NULL ||
                                  (literal - end > 1 && text[literal - 1] == '\''));
        at = is_secret && has_value ? hide_literal(text, n, literal) : end;
    }
    text_star_logins(text);
    report->text.p = text;
}

static void sort(struct report *report)
{
    if (report->n > 0)
        hide_secrets(report);
    if (report->n > 1)
        qsort(report->entries, report->n, sizeof(*report->entries), by_place);
}

// The word that begins at a place, or the one character.
static struct str word_at(struct str text, size_t at)
{
    size_t end = at;
    while (end < text.n && is_word(text.p[end]))
        end++;
    if (end == at && at < text.n)
        end = next_character(text, at);
    return (struct str){text.p + at, end - at};
}

void report_each(struct report *report, void (*each)(const struct script_error *error))
{
    sort(report);
    for (size_t i = 0; i < report->n; i++) {
        const struct report_entry *entry = &report->entries[i];
        struct script_error error = {
            .file = report->name,
            .text = str_of(entry->text),
            .hint = str_of(entry->hint),
        };
        if (entry->at != NOWHERE) {
            size_t start = line_start(report->text, entry->at);
            error.line = report_line(report, entry->at);
            error.column = columns_between(report->text, start, entry->at) + 1;
            error.near = word_at(report->text, entry->at);
        }
        each(&error);
    }
}

void report_print(struct report *report, struct buf *out)
{
    sort(report);
    for (size_t i = 0; i < report->n && i < ERRORS_SHOWN; i++)
        print_entry(report, &report->entries[i], out);
    if (report->n > ERRORS_SHOWN)
        buf_printf(out, "%.*s: %zu errors more\n", STR_ARGS(report->name),
                   report->n - ERRORS_SHOWN);
}

void report_release(struct report *report)
{
    free(report->entries);
    free(report->index);
    free(report->lines);
    report->entries = NULL;
    report->index = NULL;
    report->n_index = 0;
    report->lines = NULL;
    report->n_lines = 0;
    report->n = report->capacity = 0;
}
