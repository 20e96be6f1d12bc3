// SPDX-License-Identifier: Apache-2.0
#include "testing/test_rows.h"

#include <stdlib.h>

#include "csv/field.h"
#include "job/pipeline.h"

// Values.

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef", *found = strchr(digits, c | 0x20);
    return c != '\0' && found != NULL ? (int)(found - digits) : -1;
}

// "\x0aff", as results in CSV have it.
static bool parse_bytes(const struct test_cell *cell, const struct column *column,
                        struct arena *arena, struct value *ret)
{
    struct str text = cell->text;
    *ret = (struct value){0};
    if (text.n == 0 && !cell->quoted)
        return column->nullable;
    if (!str_starts_with(text, "\\x") || text.n % 2 != 0)
        return false;
    char *bytes = arena_alloc(arena, text.n);
    size_t n = 0;
    for (size_t i = 2; i < text.n; i += 2) {
        int high = hex_digit(text.p[i]), low = hex_digit(text.p[i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[n++] = (char)(high * 16 + low);
    }
    *ret = (struct value){.p = bytes, .n = (uint32_t)n, .kind = VALUE_BYTES};
    return true;
}

static struct csv_field field_of(const struct test_cell *cell)
{
    return (struct csv_field){
        .p = cell->text.p, .n = (uint32_t)cell->text.n, .quoted = cell->quoted};
}

enum status test_cell_value(const struct test_block *block, const struct test_cell *cell,
                            const struct column *column, struct arena *arena,
                            struct value *ret, struct err *err)
{
    if (column->type == TYPE_BYTES) {
        if (parse_bytes(cell, column, arena, ret))
            return ST_OK;
        return test_wrong_cell(block, cell, err, "column %.*s: BYTES are written \\x0aff",
                               STR_ARGS(column->name));
    }
    if (csv_value(column, field_of(cell), false, arena, ret))
        return ST_OK;
    AUTO(buf_release) struct buf why = {0};
    csv_explain(column, field_of(cell), &why);
    return test_wrong_cell(block, cell, err, "%s", buf_cstr(&why));
}

void test_put_cell(struct str text, struct buf *ret)
{
    bool plain = text.n > 0 && text.p[0] != '"' && text.p[0] != '#' && text.p[0] != '[' &&
                 str_trim(text).n == text.n && memchr(text.p, ',', text.n) == NULL &&
                 memchr(text.p, '\n', text.n) == NULL;
    if (plain) {
        buf_str(ret, text);
        return;
    }
    buf_char(ret, '"');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"')
            buf_char(ret, '"');
        buf_char(ret, text.p[i]);
    }
    buf_char(ret, '"');
}

static void put_hex(struct str bytes, struct buf *ret)
{
    buf_text(ret, "\\x");
    for (size_t i = 0; i < bytes.n; i++)
        buf_printf(ret, "%02x", (unsigned char)bytes.p[i]);
}

struct str test_value_text(struct value value, struct arena *arena)
{
    AUTO(buf_release) struct buf text = {0};
    if (value.kind == VALUE_TEXT)
        test_put_cell(value_str(value), &text);
    else if (value.kind == VALUE_BYTES)
        put_hex(value_str(value), &text);
    else
        value_format(value, &text);
    return arena_str(arena, buf_as_str(&text));
}

struct schema test_shown_schema(const struct schema *schema, struct arena *arena)
{
    struct schema shown = schema_copy(arena, schema);
    for (size_t i = 0; i < shown.n; i++)
        if (shown.columns[i].type == TYPE_BYTES)
            shown.columns[i].type = TYPE_TEXT;
    return shown;
}

// Where each column of the schema stands in the block; -1: nowhere.
static int *find_places(const struct test_block *block, const struct schema *schema,
                        struct arena *arena)
{
    int *places = arena_array(arena, schema->n, sizeof(*places));
    for (size_t c = 0; c < schema->n; c++) {
        places[c] = -1;
        for (size_t i = 0; i < block->n_columns; i++)
            if (str_eq(block->columns[i].text, schema->columns[c].name))
                places[c] = (int)i;
    }
    return places;
}

// Names.

const struct test_block *test_find_block(const struct test_case *test,
                                         enum test_kind kind, struct str name)
{
    for (size_t i = 0; i < test->n_blocks; i++)
        if (test->blocks[i].kind == kind && str_eq(test->blocks[i].name, name))
            return &test->blocks[i];
    return NULL;
}

static const struct view *find_view(const struct plan *plan, struct str name)
{
    for (size_t i = 0; i < plan->n_views; i++)
        if (!plan->views[i].hidden && str_eq(plan->views[i].name, name))
            return &plan->views[i];
    return NULL;
}

static enum status unknown_name(const struct test_block *block, const struct plan *plan,
                                struct err *err)
{
    const char *names[256];
    size_t n = 0;
    bool views = block->kind == TEST_EXPECT;
    for (size_t i = 0; i < plan->n_tables && n < ARRAY_LEN(names) && !views; i++)
        if (plan->tables[i].kind != TABLE_SINK)
            names[n++] = plan->tables[i].name.p;
    for (size_t i = 0; i < plan->n_views && n < ARRAY_LEN(names) && views; i++)
        if (!plan->views[i].hidden)
            names[n++] = plan->views[i].name.p;
    const char *near = str_nearest(block->name, names, n);
    return test_wrong_block(block, err, "the script has no %s '%.*s'%s%s%s",
                            views ? "view" : "table", STR_ARGS(block->name),
                            near ? "; did you mean " : "; tramline explain lists them",
                            near ? near : "", near ? "?" : "");
}

static enum status not_a_table(const struct test_block *block, const struct plan *plan,
                               struct err *err)
{
    const struct table *table = plan_table(plan, block->name);
    const struct view *view = find_view(plan, block->name);
    if (table != NULL && table->kind == TABLE_SINK)
        return test_wrong_block(block, err,
                                "%.*s is the result; its rows stand below [expect]",
                                STR_ARGS(block->name));
    if (view == NULL)
        return unknown_name(block, plan, err);
    return test_wrong_block(block, err,
                            "%.*s is a view; give the rows of the tables that it reads, "
                            "and what it gives below [expect %.*s]",
                            STR_ARGS(block->name), STR_ARGS(block->name));
}

static enum status unknown_column(const struct test_block *block,
                                  const struct test_cell *cell,
                                  const struct schema *schema, const char *const *extra,
                                  struct err *err)
{
    const char *names[TEST_COLUMNS_MAX + 2];
    size_t n = 0;
    for (; n < schema->n && n < TEST_COLUMNS_MAX; n++)
        names[n] = schema->columns[n].name.p;
    for (; *extra != NULL; extra++)
        names[n++] = *extra;
    const char *near = str_nearest(cell->text, names, n);
    return test_wrong_cell(block, cell, err, "there is no column '%.*s'%s%s%s",
                           STR_ARGS(cell->text), near ? "; did you mean " : "",
                           near ? near : "", near ? "?" : "");
}

// `extra`: names beside the schema's, up to a NULL.
static enum status check_columns(const struct test_block *block,
                                 const struct schema *schema, const char *const *extra,
                                 struct err *err)
{
    for (size_t i = 0; i < block->n_columns; i++) {
        struct str name = block->columns[i].text;
        bool known = schema_find(schema, name) >= 0;
        for (const char *const *e = extra; *e != NULL; e++)
            known |= str_is(name, *e);
        if (!known)
            return unknown_column(block, &block->columns[i], schema, extra, err);
    }
    return ST_OK;
}

static bool has_column(const struct test_block *block, struct str name)
{
    for (size_t i = 0; i < block->n_columns; i++)
        if (str_eq(block->columns[i].text, name))
            return true;
    return false;
}

// A column of a table that may not be NULL is given.
static enum status check_given(const struct test_block *block,
                               const struct schema *schema, struct err *err)
{
    for (size_t i = 0; i < schema->n && block->n_rows > 0; i++) {
        const struct column *column = &schema->columns[i];
        if (!column->nullable && !has_column(block, column->name))
            return test_wrong_cell(block, &block->columns[0], err,
                                   "column '%.*s' is NOT NULL and has no values; give it "
                                   "one for all rows by '%.*s = X' in this line",
                                   STR_ARGS(column->name), STR_ARGS(column->name));
    }
    return ST_OK;
}

// Cells of a table's rows; those of a stream are for its decoder.
static enum status check_values(const struct test_block *block,
                                const struct schema *schema, struct err *err)
{
    AUTO(arena_release) struct arena arena = {0};
    const int *places = find_places(block, schema, &arena);
    for (size_t i = 0; i < block->n_rows; i++)
        for (size_t c = 0; c < schema->n; c++) {
            struct value value;
            if (places[c] >= 0)
                TRY(test_cell_value(block, &block->rows[i].cells[places[c]],
                                    &schema->columns[c], &arena, &value, err));
        }
    return ST_OK;
}

static enum status check_input(const struct test_block *block, const struct plan *plan,
                               struct err *err)
{
    static const char *const none[] = {NULL};
    const struct table *table = plan_table(plan, block->name);
    if (table == NULL || table->kind == TABLE_SINK)
        return not_a_table(block, plan, err);
    if (block->kind == TEST_TABLE) {
        TRY(check_columns(block, &table->schema, none, err));
        TRY(check_given(block, &table->schema, err));
        return table->kind == TABLE_STREAM ? ST_OK
                                           : check_values(block, &table->schema, err);
    }
    if (table->kind != TABLE_STREAM)
        return test_wrong_block(block, err,
                                "%.*s is not the stream; only its records can be raw",
                                STR_ARGS(block->name));
    const struct format *format = format_of(&table->format);
    if (format->schemas == NULL)
        return ST_OK;
    return test_wrong_block(block, err,
                            "records of %.*s are %s; give their columns, without 'raw'",
                            STR_ARGS(block->name), format->title);
}

static enum status check_output(const struct test_block *block, const struct plan *plan,
                                struct err *err)
{
    static const char *const none[] = {NULL}, *const of_rejects[] = {"record", "reason",
                                                                     NULL};
    if (block->kind == TEST_EXPECT && block->name.n > 0) {
        const struct view *view = find_view(plan, block->name);
        return view ? check_columns(block, &view->schema, none, err)
                    : unknown_name(block, plan, err);
    }
    if (plan->sink == NULL)
        return test_wrong_block(block, err,
                                "the script has no INSERT, so there is no result; "
                                "[expect VIEW] has the rows of a view");
    return block->kind == TEST_EXPECT
               ? check_columns(block, &plan->output, none, err)
               : check_columns(block, &plan->stream->schema, of_rejects, err);
}

enum status test_rows_check(const struct test_case *test, const struct plan *plan,
                            struct err *err)
{
    for (size_t i = 0; i < test->n_blocks; i++) {
        const struct test_block *block = &test->blocks[i];
        if (block->kind == TEST_TABLE || block->kind == TEST_RAW)
            TRY(check_input(block, plan, err));
        else
            TRY(check_output(block, plan, err));
    }
    return ST_OK;
}

// Tables.

struct block_rows {
    struct rows rows;               // first member
    const struct test_block *block; // NULL: no rows
    int *places;
    struct arena arena;
    size_t next;
};

static enum status next_rows(struct rows *base, struct batch *batch, struct err *err)
{
    struct block_rows *rows = (struct block_rows *)base;
    batch_clear(batch);
    size_t n = rows->block ? rows->block->n_rows : 0;
    for (; rows->next < n && batch->n_rows < 1000; rows->next++) {
        const struct test_row *row = &rows->block->rows[rows->next];
        struct value *to = batch_add(batch, (uint32_t)batch->n_rows);
        for (size_t c = 0; c < base->schema->n; c++)
            if (rows->places[c] >= 0)
                TRY(test_cell_value(rows->block, &row->cells[rows->places[c]],
                                    &base->schema->columns[c], &batch->arena, &to[c],
                                    err));
    }
    return ST_OK;
}

static void close_rows(struct rows *base)
{
    struct block_rows *rows = (struct block_rows *)base;
    arena_release(&rows->arena);
    free(rows);
}

static const struct rows_ops block_ops = {.next = next_rows, .close = close_rows};

enum status test_rows_open(const struct test_case *test, const struct table *table,
                           struct rows **ret, UNUSED struct err *err)
{
    struct block_rows *rows = mem_zalloc(sizeof(*rows));
    rows->rows = (struct rows){.ops = &block_ops, .schema = &table->schema};
    rows->block = test_find_block(test, TEST_TABLE, table->name);
    if (rows->block != NULL)
        rows->places = find_places(rows->block, &table->schema, &rows->arena);
    *ret = &rows->rows;
    return ST_OK;
}

// The stream.

// One line of CSV: what the cells say, right or wrong.
static struct str line_of(const struct test_row *row, const int *places, size_t n,
                          struct arena *arena)
{
    AUTO(buf_release) struct buf line = {0};
    for (size_t c = 0; c < n; c++) {
        if (c > 0)
            buf_char(&line, ',');
        if (places[c] < 0)
            continue;
        const struct test_cell *cell = &row->cells[places[c]];
        if (cell->text.n > 0 || cell->quoted)
            test_put_cell(cell->text, &line);
    }
    return arena_str(arena, buf_as_str(&line));
}

static enum status values_of(const struct test_block *block, const struct test_row *row,
                             const int *places, const struct schema *schema,
                             struct arena *arena, const struct value **ret,
                             struct err *err)
{
    struct value *values = arena_array(arena, schema->n, sizeof(*values));
    for (size_t c = 0; c < schema->n; c++)
        if (places[c] >= 0)
            TRY(test_cell_value(block, &row->cells[places[c]], &schema->columns[c], arena,
                                &values[c], err));
    *ret = values;
    return ST_OK;
}

static enum status add_records(const struct test_block *block, const struct table *stream,
                               struct arena *arena, struct test_records *ret,
                               struct err *err)
{
    const int *places = find_places(block, &stream->schema, arena);
    for (size_t i = 0; i < block->n_rows; i++) {
        const struct test_row *row = &block->rows[i];
        struct test_record *record = &ret->items[ret->n++];
        *record = (struct test_record){.row = row, .block = block};
        if (block->kind == TEST_RAW)
            record->bytes = row->cells[0].text;
        else if (!format_of(&stream->format)->is_of_feeds)
            TRY(values_of(block, row, places, &stream->schema, arena, &record->values,
                          err));
        else
            record->bytes = line_of(row, places, stream->schema.n, arena);
    }
    return ST_OK;
}

enum status test_records_make(const struct test_case *test, const struct table *stream,
                              struct arena *arena, struct test_records *ret,
                              struct err *err)
{
    const struct test_block *blocks[] = {
        test_find_block(test, TEST_TABLE, stream->name),
        test_find_block(test, TEST_RAW, stream->name),
    };
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(blocks); i++)
        n += blocks[i] ? blocks[i]->n_rows : 0;
    *ret = (struct test_records){arena_array(arena, n, sizeof(*ret->items)), 0};
    for (size_t i = 0; i < ARRAY_LEN(blocks); i++)
        if (blocks[i] != NULL)
            TRY(add_records(blocks[i], stream, arena, ret, err));
    return ST_OK;
}
