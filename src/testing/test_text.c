// SPDX-License-Identifier: Apache-2.0
#include "testing/test_text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "core/stream_start.h"
#include "testing/test_file.h"

// Where the text is read.
struct reading {
    struct test_case *test;
    const char *file;
    const char *at, *end;
    const char *line_begin;
    size_t line;
    bool has_marks; // headings and comments
};

static size_t column_of(const struct reading *r, const char *p)
{
    size_t n = 1;
    for (const char *c = r->line_begin; c < p; c++)
        n += ((unsigned char)*c & 0xC0) != 0x80; // characters, not bytes
    return n;
}

static enum status wrong_at(const char *file, size_t line, size_t column, struct err *err,
                            const char *fmt, va_list args)
{
    char text[1024];
    vsnprintf(text, sizeof(text), fmt, args);
    return err_set(err, ST_USAGE, "%s:%zu:%zu: %s", file, line, column, text);
}

static enum status wrong(const struct reading *r, const char *p, struct err *err,
                         const char *fmt, ...) PRINTF_LIKE(4, 5);

static enum status wrong(const struct reading *r, const char *p, struct err *err,
                         const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    enum status rc = wrong_at(r->file, r->line, column_of(r, p), err, fmt, args);
    va_end(args);
    return rc;
}

enum status test_wrong_block(const struct test_block *block, struct err *err,
                             const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    enum status rc = wrong_at(block->file, block->line, block->column, err, fmt, args);
    va_end(args);
    return rc;
}

enum status test_wrong_cell(const struct test_block *block, const struct test_cell *cell,
                            struct err *err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    enum status rc = wrong_at(block->file, cell->line, cell->column, err, fmt, args);
    va_end(args);
    return rc;
}

// Lines.

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void skip_blanks(struct reading *r)
{
    while (r->at < r->end && is_blank(*r->at))
        r->at++;
}

static bool is_line_end(const struct reading *r)
{
    return r->at == r->end || *r->at == '\n' ||
           (*r->at == '\r' && (r->at + 1 == r->end || r->at[1] == '\n'));
}

static void next_line(struct reading *r)
{
    while (r->at < r->end && *r->at != '\n')
        r->at++;
    if (r->at < r->end)
        r->at++;
    r->line++;
    r->line_begin = r->at;
}

// To the first line from here on that says something.
static void skip_empty_lines(struct reading *r)
{
    while (r->at < r->end) {
        const char *begin = r->at;
        skip_blanks(r);
        if (!is_line_end(r) && !(r->has_marks && *r->at == '#')) {
            r->at = begin;
            return;
        }
        next_line(r);
    }
}

static bool is_heading(const struct reading *r)
{
    return r->has_marks && r->at < r->end && *r->at == '[';
}

static struct str rest_of_line(struct reading *r)
{
    const char *begin = r->at;
    while (!is_line_end(r))
        r->at++;
    return (struct str){begin, (size_t)(r->at - begin)};
}

// Cells.

static enum status quoted_cell(struct reading *r, struct test_cell *ret, struct err *err)
{
    struct buf text = {0};
    struct reading opened = *r;
    for (r->at++; r->at < r->end; r->at++) {
        if (*r->at == '"' && (r->at + 1 == r->end || r->at[1] != '"'))
            break;
        if (*r->at == '"')
            r->at++;
        buf_char(&text, *r->at);
        if (*r->at == '\n') {
            r->line++;
            r->line_begin = r->at + 1;
        }
    }
    ret->text = arena_str(&r->test->arena, buf_as_str(&text));
    buf_release(&text);
    if (r->at == r->end)
        return wrong(&opened, opened.at, err,
                     "this quote is never closed; a quote within a value is written "
                     "twice: \"\"");
    r->at++;
    skip_blanks(r);
    return ST_OK;
}

static void plain_cell(struct reading *r, const char *stop, struct test_cell *ret)
{
    const char *begin = r->at;
    while (!is_line_end(r) && strchr(stop, *r->at) == NULL)
        r->at++;
    ret->text = str_trim((struct str){begin, (size_t)(r->at - begin)});
}

// A cell up to the line's end or one of the characters `stop`.
static enum status take_cell(struct reading *r, const char *stop, struct test_cell *ret,
                             struct err *err)
{
    skip_blanks(r);
    *ret = (struct test_cell){.line = r->line, .column = column_of(r, r->at)};
    ret->quoted = r->at < r->end && *r->at == '"';
    if (!ret->quoted) {
        plain_cell(r, stop, ret);
        return ST_OK;
    }
    TRY(quoted_cell(r, ret, err));
    if (!is_line_end(r) && strchr(stop, *r->at) == NULL)
        return wrong(r, r->at, err,
                     "text after a closing quote; write a comma before it, or two quotes "
                     "for one that is part of the value");
    return ST_OK;
}

// Column names: "trip_id, service_id = WEEK" gives all rows the same service.

struct header {
    struct test_cell names[TEST_COLUMNS_MAX], values[TEST_COLUMNS_MAX];
    bool is_fixed[TEST_COLUMNS_MAX];
    size_t n, n_fixed;
};

static enum status check_name(const struct reading *r, const char *begin,
                              const struct header *header, struct err *err)
{
    const struct test_cell *name = &header->names[header->n];
    if (name->text.n == 0)
        return wrong(r, begin, err, "a column without a name; this line names columns");
    for (size_t i = 0; i < header->n; i++)
        if (str_eq(header->names[i].text, name->text))
            return wrong(r, begin, err, "column '%.*s' is named twice",
                         STR_ARGS(name->text));
    if (header->n + 1 == TEST_COLUMNS_MAX)
        return wrong(r, begin, err, "more than %d columns", TEST_COLUMNS_MAX - 1);
    return ST_OK;
}

static enum status take_header(struct reading *r, struct header *header, struct err *err)
{
    for (bool more = true; more;) {
        const char *begin = r->at;
        TRY(take_cell(r, ",=", &header->names[header->n], err));
        TRY(check_name(r, begin, header, err));
        if (!is_line_end(r) && *r->at == '=') {
            r->at++;
            TRY(take_cell(r, ",", &header->values[header->n], err));
            header->is_fixed[header->n] = true;
            header->n_fixed++;
        }
        header->n++;
        more = !is_line_end(r);
        r->at += more;
    }
    if (header->n == header->n_fixed)
        return wrong(r, r->line_begin, err,
                     "each column has a value for all rows; leave one without, and give "
                     "its values in the lines below");
    return ST_OK;
}

static struct test_row *add_row(struct test_block *block)
{
    MEM_GROW(block->rows, block->n_rows, block->rows_capacity);
    return &block->rows[block->n_rows++];
}

static enum status check_n_rows(const struct reading *r, const struct test_block *block,
                                struct err *err)
{
    if (block->n_rows < TEST_ROWS_MAX)
        return ST_OK;
    return wrong(r, r->at, err, "more than %d rows; a test is small", TEST_ROWS_MAX);
}

static enum status take_row(struct reading *r, const struct header *header,
                            struct test_block *block, struct err *err)
{
    TRY(check_n_rows(r, block, err));
    struct test_row row = {arena_array(&r->test->arena, header->n, sizeof(*row.cells)),
                           r->line};
    struct reading begin = *r;
    size_t n_wanted = header->n - header->n_fixed, n = 0;
    for (size_t c = 0; c < header->n; c++) {
        if (header->is_fixed[c]) {
            row.cells[c] = header->values[c];
            continue;
        }
        TRY(take_cell(r, ",", &row.cells[c], err));
        if (++n < n_wanted && is_line_end(r))
            return wrong(&begin, begin.at, err,
                         "%zu %s for %s; an empty one is NULL, and its comma is "
                         "written",
                         n, n == 1 ? "value" : "values",
                         text_counted((int64_t)n_wanted, "column", "columns"));
        r->at += n < n_wanted;
    }
    if (!is_line_end(r))
        return wrong(r, r->at, err,
                     "more values than the %s; one with a comma stands in "
                     "quotes",
                     text_counted((int64_t)n_wanted, "column", "columns"));
    *add_row(block) = row;
    return ST_OK;
}

static enum status take_rows(struct reading *r, struct test_block *block, struct err *err)
{
    AUTO(mem_auto_free) struct header *header = mem_zalloc(sizeof(*header));
    skip_empty_lines(r);
    if (r->at == r->end || is_heading(r))
        return ST_OK;
    TRY(take_header(r, header, err));
    block->n_columns = header->n;
    block->columns = arena_array(&r->test->arena, header->n, sizeof(*block->columns));
    memcpy(block->columns, header->names, header->n * sizeof(*block->columns));
    next_line(r);
    for (skip_empty_lines(r); r->at < r->end && !is_heading(r); skip_empty_lines(r)) {
        TRY(take_row(r, header, block, err));
        next_line(r);
    }
    return ST_OK;
}

static enum status take_raw(struct reading *r, struct test_block *block, struct err *err)
{
    for (skip_empty_lines(r); r->at < r->end && !is_heading(r); skip_empty_lines(r)) {
        TRY(check_n_rows(r, block, err));
        struct test_row row = {arena_array(&r->test->arena, 1, sizeof(*row.cells)),
                               r->line};
        row.cells[0] = (struct test_cell){.line = r->line, .column = 1};
        row.cells[0].text = rest_of_line(r);
        *add_row(block) = row;
        next_line(r);
    }
    return ST_OK;
}

static enum status take_block(struct reading *r, struct test_block *block,
                              struct err *err)
{
    return block->kind == TEST_RAW ? take_raw(r, block, err) : take_rows(r, block, err);
}

// Settings: "now = ...", "order = kept", "set NAME = ...".

static enum status set_now(struct reading *r, const char *begin, struct str value,
                           struct err *err)
{
    if (stream_time_parse(value, &r->test->now_ms))
        return ST_OK;
    return wrong(r, begin, err, "now = '%.*s' is not a time; write 2026-11-22T05:00:00Z",
                 STR_ARGS(value));
}

static enum status set_order(struct reading *r, const char *begin, struct str value,
                             struct err *err)
{
    r->test->is_ordered = str_is(value, "kept");
    if (r->test->is_ordered || str_is(value, "any"))
        return ST_OK;
    return wrong(r, begin, err, "order is 'any' or 'kept', not '%.*s'", STR_ARGS(value));
}

static enum status set_variable(struct reading *r, const char *begin, struct str name,
                                struct str value, struct err *err)
{
    struct test_case *test = r->test;
    if (name.n == 0)
        return wrong(r, begin, err, "write set NAME = value, for ${NAME} in the script");
    if (test->n_variables == TEST_SETTINGS_MAX)
        return wrong(r, begin, err, "more than %d variables", TEST_SETTINGS_MAX);
    MEM_GROW(test->variables, test->n_variables, test->variables_capacity);
    test->variables[test->n_variables++] =
        (struct variable){arena_str(&test->arena, name), value, true};
    return ST_OK;
}

static enum status unknown_setting(struct reading *r, const char *begin, struct str name,
                                   struct err *err)
{
    static const char *const names[] = {"now", "order", "set"};
    const char *near = str_nearest(name, names, ARRAY_LEN(names));
    return wrong(r, begin, err,
                 "'%.*s' is not a setting%s%s%s; there are now, order and set NAME; rows "
                 "stand below a heading such as [trips]",
                 STR_ARGS(name), near ? "; did you mean " : "", near ? near : "",
                 near ? "?" : "");
}

static enum status take_setting(struct reading *r, struct err *err)
{
    struct test_cell name, value = {0};
    skip_blanks(r);
    const char *begin = r->at;
    TRY(take_cell(r, "=", &name, err));
    if (is_line_end(r))
        return unknown_setting(r, begin, name.text, err);
    r->at++;
    TRY(take_cell(r, "", &value, err));
    struct str key = name.text;
    if (str_is(key, "now"))
        return set_now(r, begin, value.text, err);
    if (str_is(key, "order"))
        return set_order(r, begin, value.text, err);
    struct str word = str_cut(&key, ' ');
    if (str_is(word, "set"))
        return set_variable(r, begin, str_trim(key), value.text, err);
    return unknown_setting(r, begin, name.text, err);
}

static enum status take_settings(struct reading *r, struct err *err)
{
    for (skip_empty_lines(r); r->at < r->end && !is_heading(r); skip_empty_lines(r)) {
        TRY(take_setting(r, err));
        next_line(r);
    }
    return ST_OK;
}

// Headings: [trips], [stop_times raw], [expect], [expect view], [reject]; behind it
// perhaps the file with the rows.

// A word of a heading; unquoted ones are in lower case, as names of SQL are.
static struct str take_word(struct reading *r, bool *ret_quoted)
{
    skip_blanks(r);
    *ret_quoted = r->at < r->end && *r->at == '"';
    const char *begin = r->at + *ret_quoted;
    for (r->at = begin; !is_line_end(r) && *r->at != ']'; r->at++)
        if (*ret_quoted ? *r->at == '"' : is_blank(*r->at))
            break;
    struct str word = {begin, (size_t)(r->at - begin)};
    if (*ret_quoted) {
        r->at += !is_line_end(r) && *r->at == '"';
        return word;
    }
    char *folded = arena_cstr(&r->test->arena, word);
    for (char *c = folded; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return str_of(folded);
}

static enum status name_block(struct reading *r, struct test_block *block,
                              struct err *err)
{
    bool quoted, second_quoted;
    const char *begin = r->at++;
    struct str first = take_word(r, &quoted), second = take_word(r, &second_quoted);
    skip_blanks(r);
    if (is_line_end(r) || *r->at != ']')
        return wrong(r, begin, err,
                     "a heading is [TABLE], [STREAM raw], [expect], [expect VIEW] or "
                     "[reject]");
    r->at++;
    if (first.n == 0)
        return wrong(r, begin, err, "a heading names a table, expect or reject");
    bool is_expect = !quoted && str_is(first, "expect");
    bool is_reject = !quoted && str_is(first, "reject");
    bool is_raw = !is_expect && !second_quoted && str_is(second, "raw");
    if (second.n > 0 && !is_expect && !is_raw)
        return wrong(r, begin, err,
                     "'%.*s' in a heading; behind a table may stand 'raw', behind "
                     "'expect' a view",
                     STR_ARGS(second));
    block->kind = is_expect   ? TEST_EXPECT
                  : is_reject ? TEST_REJECT
                  : is_raw    ? TEST_RAW
                              : TEST_TABLE;
    block->name = is_expect ? second : is_reject ? (struct str){0} : first;
    return ST_OK;
}

static enum status take_heading(struct reading *r, struct test_block *block,
                                struct err *err)
{
    *block = (struct test_block){.file = r->file, .line = r->line, .column = 1};
    TRY(name_block(r, block, err));
    skip_blanks(r);
    struct str path = str_trim(rest_of_line(r));
    next_line(r);
    if (path.n == 0)
        return take_block(r, block, err);
    TRY(test_file_rows(r->test, block, path, err));
    skip_empty_lines(r);
    if (r->at == r->end || is_heading(r))
        return ST_OK;
    return wrong(r, r->at, err,
                 "rows below a heading that names a file; one or the other");
}

enum status test_add_block(struct test_case *test, const struct test_block *block,
                           struct err *err)
{
    for (size_t i = 0; i < test->n_blocks; i++)
        if (test->blocks[i].kind == block->kind &&
            str_eq(test->blocks[i].name, block->name))
            return test_wrong_block(block, err, "the same block as in line %zu of %s",
                                    test->blocks[i].line, test->blocks[i].file);
    if (test->n_blocks == TEST_BLOCKS_MAX)
        return test_wrong_block(block, err, "more than %d blocks", TEST_BLOCKS_MAX);
    MEM_GROW(test->blocks, test->n_blocks, test->blocks_capacity);
    test->blocks[test->n_blocks++] = *block;
    return ST_OK;
}

// The whole.

static enum status begin(struct reading *r, struct err *err)
{
    struct str text = {r->at, (size_t)(r->end - r->at)};
    size_t good = str_utf8_valid(text);
    if (good < text.n) {
        while (r->at < text.p + good)
            if (*r->at++ == '\n') {
                r->line++;
                r->line_begin = r->at;
            }
        return wrong(r, r->at, err, "a byte that is not UTF-8; iconv converts the file");
    }
    if (str_starts_with(text, "\xEF\xBB\xBF"))
        r->line_begin = r->at += 3;
    return ST_OK;
}

static struct reading reading_of(struct test_case *test, const char *file,
                                 struct str text, bool has_marks)
{
    text = arena_str(&test->arena, text);
    return (struct reading){.test = test,
                            .file = file,
                            .at = text.p,
                            .end = text.p + text.n,
                            .line_begin = text.p,
                            .line = 1,
                            .has_marks = has_marks};
}

enum status test_text_parse(struct test_case *test, const char *file, struct str text,
                            struct err *err)
{
    struct reading r = reading_of(test, file, text, true);
    TRY(begin(&r, err));
    TRY(take_settings(&r, err));
    while (r.at < r.end) {
        struct test_block block;
        enum status rc = take_heading(&r, &block, err);
        if (rc == ST_OK)
            rc = test_add_block(test, &block, err);
        if (rc != ST_OK) {
            free(block.rows);
            return rc;
        }
    }
    return ST_OK;
}

enum status test_text_settings(struct test_case *test, const char *file, struct str text,
                               struct err *err)
{
    struct reading r = reading_of(test, file, text, true);
    TRY(begin(&r, err));
    TRY(take_settings(&r, err));
    return r.at == r.end
               ? ST_OK
               : wrong(&r, r.at, err,
                       "rows of a test that is a folder stand in files of their own, "
                       "such as trips.csv");
}

enum status test_text_rows(struct test_case *test, struct test_block *block,
                           struct str text, struct err *err)
{
    struct reading r = reading_of(test, block->file, text, false);
    TRY(begin(&r, err));
    return take_block(&r, block, err);
}
