// SPDX-License-Identifier: Apache-2.0
#include "csv/header.h"

#include <stdlib.h>

#include "base/mem.h"
#include "csv/field.h"

enum {
    NEAREST_MAX = 10, // absent columns that are told with the nearest name
    HEADER_FIELDS_MAX = 10000
};

// The names of a header line, NUL-terminated, "" for none.
struct names {
    const char **items;
    size_t n;
    struct arena arena;
};

static void names_release(struct names *names)
{
    free(names->items);
    arena_release(&names->arena);
}

static enum status check_name(struct str name, struct err *err)
{
    if (str_utf8_valid(name) == name.n)
        return ST_OK;
    AUTO(buf_release) struct buf text = {0};
    csv_show(name, &text);
    return err_set(err, ST_DATA, "the header's name %s is not UTF-8", buf_cstr(&text));
}

static enum status take_names(const struct csv_line *line, struct names *ret,
                              struct err *err)
{
    ret->items = mem_array(line->n, sizeof(*ret->items));
    for (size_t i = 0; i < line->n; i++) {
        struct str name = str_trim(csv_text(line->fields[i], &ret->arena));
        TRY(check_name(name, err));
        ret->items[i] = arena_cstr(&ret->arena, name);
    }
    ret->n = line->n;
    return ST_OK;
}

// The first from field `from` on.
static size_t find(const struct names *names, struct str name, size_t from)
{
    for (size_t i = from; i < names->n; i++)
        if (str_is(name, names->items[i]))
            return i;
    return CSV_NO_FIELD;
}

static enum status find_one(const struct names *names, struct str name, size_t *ret,
                            struct err *err)
{
    size_t first = find(names, name, 0);
    size_t second = first == CSV_NO_FIELD ? first : find(names, name, first + 1);
    if (second != CSV_NO_FIELD)
        return err_set(err, ST_DATA,
                       "column %.*s stands twice in the header, as field %zu and %zu",
                       STR_ARGS(name), first + 1, second + 1);
    *ret = first;
    return ST_OK;
}

static void list(const struct names *names, struct buf *text)
{
    enum {
        LISTED = 20
    };
    for (size_t i = 0; i < names->n && i < LISTED; i++) {
        buf_text(text, i ? ", " : "");
        csv_show(str_of(names->items[i]), text);
    }
    if (names->n > LISTED)
        buf_printf(text, " and %zu more", names->n - LISTED);
}

static enum status no_column(const struct names *names, const struct column *column,
                             struct err *err)
{
    const char *nearest = str_nearest(column->name, names->items, names->n);
    if (nearest != NULL && *nearest != '\0')
        return err_set(err, ST_DATA,
                       "column %.*s is NOT NULL and not in the header; the nearest there "
                       "is '%s'",
                       STR_ARGS(column->name), nearest);
    AUTO(buf_release) struct buf text = {0};
    list(names, &text);
    return err_set(err, ST_DATA,
                   "column %.*s is NOT NULL and not in the header, which has %s; a file "
                   "without a header line is read with header = false",
                   STR_ARGS(column->name), buf_cstr(&text));
}

static enum status no_columns(const struct names *names, struct err *err)
{
    AUTO(buf_release) struct buf text = {0};
    list(names, &text);
    return err_set(err, ST_DATA,
                   "none of the columns is in the header, which has %s; a file without a "
                   "header line is read with header = false",
                   buf_cstr(&text));
}

static enum status map(const struct schema *schema, const struct names *names,
                       size_t *columns, struct err *err)
{
    size_t n_found = 0;
    for (size_t i = 0; i < schema->n; i++) {
        TRY(find_one(names, schema->columns[i].name, &columns[i], err));
        n_found += columns[i] != CSV_NO_FIELD;
        if (columns[i] == CSV_NO_FIELD && !schema->columns[i].nullable)
            return no_column(names, &schema->columns[i], err);
    }
    return n_found ? ST_OK : no_columns(names, err);
}

// The names that are not a column's; "" is not a name. To be freed.
static const char **strangers(const struct schema *schema, const struct names *names,
                              size_t *ret_n)
{
    const char **others = mem_array(names->n, sizeof(*others));
    size_t n = 0;
    for (size_t i = 0; i < names->n; i++)
        if (names->items[i][0] != '\0' &&
            schema_find(schema, str_of(names->items[i])) < 0)
            others[n++] = names->items[i];
    *ret_n = n;
    return others;
}

// The first few with the nearest of the others: each is compared with all of them.
static char *absent(const struct schema *schema, const struct names *names,
                    const size_t *columns)
{
    AUTO(buf_release) struct buf text = {0};
    size_t n_others, n_left = NEAREST_MAX;
    const char **others = strangers(schema, names, &n_others);
    for (size_t i = 0; i < schema->n; i++) {
        if (columns[i] != CSV_NO_FIELD)
            continue;
        struct str name = schema->columns[i].name;
        const char *nearest = n_left > 0 ? str_nearest(name, others, n_others) : NULL;
        n_left -= n_left > 0;
        buf_printf(&text, "%s%.*s", text.n ? ", " : "", STR_ARGS(name));
        if (nearest != NULL)
            buf_printf(&text, " (the nearest is %s)", nearest);
    }
    free(others);
    return text.n ? mem_strdup(buf_cstr(&text)) : NULL;
}

// Scans the record at the front, whole, with as many fields as line has room for.
static enum status scan(struct csv_window *window, struct csv_line *line, struct err *err)
{
    enum csv_scan result;
    while ((result = csv_window_scan(window, line)) == CSV_MORE)
        TRY(csv_window_fill(window, err));
    if (result == CSV_LINE && line->n <= HEADER_FIELDS_MAX)
        return ST_OK;
    if (result == CSV_LINE)
        return err_set(err, ST_DATA, "the header has %zu fields; at most %d are read",
                       line->n, HEADER_FIELDS_MAX);
    if (result == CSV_STRAY_CR)
        return err_set(err, ST_DATA,
                       "the lines end with CR alone; mend the file: tr '\\r' '\\n'");
    AUTO(buf_release) struct buf text = {0};
    csv_explain_scan(result, line, NULL, &text);
    return err_set(err, ST_DATA, "the header line: %s", buf_cstr(&text));
}

// Passes blank lines and scans the header line; *ret_fields is allocated for it.
static enum status scan_header(struct csv_window *window, struct csv_line *line,
                               size_t *n_lines, struct err *err)
{
    struct csv_field field;
    *line = (struct csv_line){.fields = &field, .capacity = 1};
    for (;;) {
        if (csv_window_is_over(window))
            return err_set(err, ST_DATA, "the file is empty; a header line was expected");
        TRY(scan(window, line, err));
        if (!csv_line_is_blank(line))
            break;
        csv_window_pass(window, line->size);
        *n_lines += line->n_breaks;
    }
    line->capacity = line->n;
    line->fields = mem_array(line->n, sizeof(*line->fields));
    (void)csv_window_scan(window, line); // the same line, now all of its fields
    *n_lines += line->n_breaks;
    return ST_OK;
}

enum status csv_header_read(struct csv_window *window, const struct schema *schema,
                            struct csv_header *ret, struct err *err)
{
    struct csv_header header = {0};
    struct csv_line line;
    TRY(scan_header(window, &line, &header.n_lines, err));
    struct names names = {0};
    enum status rc = take_names(&line, &names, err);
    header.n_fields = line.n;
    header.columns = mem_array(schema->n, sizeof(*header.columns));
    if (rc == ST_OK)
        rc = map(schema, &names, header.columns, err);
    if (rc == ST_OK)
        header.absent = absent(schema, &names, header.columns);
    names_release(&names);
    free(line.fields);
    if (rc != ST_OK) {
        csv_header_release(&header);
        return rc;
    }
    csv_window_pass(window, line.size);
    *ret = header;
    return ST_OK;
}

void csv_header_by_position(const struct schema *schema, struct csv_header *ret)
{
    *ret = (struct csv_header){.n_fields = schema->n};
    ret->columns = mem_array(schema->n, sizeof(*ret->columns));
    for (size_t i = 0; i < schema->n; i++)
        ret->columns[i] = i;
}

bool csv_header_is_by_position(const struct schema *schema,
                               const struct csv_header *header)
{
    bool is = header->n_fields == schema->n;
    for (size_t i = 0; i < schema->n && is; i++)
        is = header->columns[i] == i;
    return is;
}

void csv_header_release(struct csv_header *header)
{
    free(header->columns);
    free(header->absent);
    *header = (struct csv_header){0};
}
