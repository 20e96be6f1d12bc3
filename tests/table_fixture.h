// SPDX-License-Identifier: Apache-2.0
// For tests of src/table: schemas, rows and batches from text, a row format of its own
// (so that expected rows do not hang on src/csv; it refuses the text "refuse"), and
// results as sorted lines.
//
// Text of rows: columns by '|', NULL is "~", a line each: "A|1\nB|~\n". Schemas: as in
// CREATE TABLE: "trip_id TEXT NOT NULL, stop_sequence INT".
#ifndef TESTS_TABLE_FIXTURE_H
#define TESTS_TABLE_FIXTURE_H

#include <time.h>

#include "base/mem.h"
#include "core/codec.h"
#include "core/rows.h"
#include "table/table_store.h"

UNUSED static struct schema schema_of(struct arena *arena, const char *text)
{
    struct schema schema = {arena_array(arena, 64, sizeof(struct column)), 0};
    struct str rest = str_of(text);
    while (rest.p != NULL && rest.n > 0) {
        struct str item = str_trim(str_cut(&rest, ','));
        struct column *column = &schema.columns[schema.n++];
        column->name = arena_str(arena, str_cut(&item, ' '));
        column->type = type_of_name(str_cut(&item, ' '));
        column->nullable = !str_is(item, "NOT NULL");
        assert_int_not_equal(column->type, TYPE_UNKNOWN);
    }
    return schema;
}

UNUSED static void add_rows(struct batch *batch, const struct schema *schema,
                            const char *text)
{
    struct str rest = str_of(text);
    while (rest.p != NULL && rest.n > 0) {
        struct str line = str_cut(&rest, '\n');
        struct value *row = batch_add(batch, (uint32_t)batch->n_rows);
        for (size_t c = 0; c < schema->n; c++) {
            struct str field = arena_str(&batch->arena, str_cut(&line, '|'));
            if (!str_is(field, "~"))
                assert_true(value_parse(schema->columns[c].type, field, &row[c]));
        }
    }
}

// Rows in memory, given out `step` at a time.
struct memory_rows {
    struct rows rows; // first member
    struct batch all;
    size_t at, step;
};

static enum status memory_rows_next(struct rows *rows, struct batch *batch,
                                    UNUSED struct err *err)
{
    struct memory_rows *memory = (struct memory_rows *)rows;
    size_t n = memory->all.n_columns;
    batch_clear(batch);
    for (size_t i = 0; i < memory->step && memory->at < memory->all.n_rows; i++)
        memcpy(batch_add(batch, 0), batch_row(&memory->all, memory->at++),
               n * sizeof(struct value));
    return ST_OK;
}

static void memory_rows_close(struct rows *rows)
{
    struct memory_rows *memory = (struct memory_rows *)rows;
    batch_release(&memory->all);
    free(memory);
}

static const struct rows_ops memory_rows_ops = {
    .next = memory_rows_next,
    .close = memory_rows_close,
};

// Add rows to `all`; close it with rows.ops->close.
UNUSED static struct memory_rows *memory_rows_open(const struct schema *schema)
{
    struct memory_rows *memory = mem_zalloc(sizeof(*memory));
    memory->rows = (struct rows){.ops = &memory_rows_ops, .schema = schema};
    memory->step = 3;
    batch_init(&memory->all, schema->n);
    return memory;
}

// Loads a table from a batch.
UNUSED static void store_load(struct table_store *store, struct str name,
                              const struct batch *batch)
{
    struct err err = {0};
    const struct table *table = plan_table(store->plan, name);
    struct memory_rows *rows = memory_rows_open(&table->schema);
    uint64_t n;
    for (size_t i = 0; i < batch->n_rows; i++)
        memcpy(batch_add(&rows->all, 0), batch_row(batch, i),
               batch->n_columns * sizeof(struct value));
    assert_ok(table_store_load(store, table, &rows->rows, &n, &err), &err);
    assert_int_equal(n, batch->n_rows);
    rows->rows.ops->close(&rows->rows);
}

static void plain_fields(struct row_format *row_format, size_t first,
                         const struct value *values, size_t n, struct buf *row)
{
    assert_true(first + n <= row_format->schema->n);
    for (size_t i = 0; i < n; i++) {
        if (first + i > 0)
            buf_char(row, '|');
        if (values[i].kind == VALUE_TEXT && str_is(value_str(values[i]), "refuse"))
            row_format->refused = STR_LITERAL("column 'x': 'refuse' has no form");
        if (values[i].kind == VALUE_NULL)
            buf_char(row, '~');
        else
            value_format(values[i], row);
    }
}

static void plain_end_row(UNUSED struct row_format *row_format, struct buf *row)
{
    buf_char(row, '\n');
}

static void plain_close(UNUSED struct row_format *row_format)
{
}

static const struct row_format_ops plain_row_format_ops = {
    .fields = plain_fields,
    .end_row = plain_end_row,
    .close = plain_close,
};

// Takes 5 ms for each piece of a row; a run over such rows ends before its last.
enum {
    SLOW_ROWS = 4000,
    SLOW_MOST_MS = 10000
};

static void slow_fields(struct row_format *row_format, size_t first,
                        const struct value *values, size_t n, struct buf *row)
{
    const struct timespec pause = {.tv_nsec = 5000000};
    nanosleep(&pause, NULL);
    plain_fields(row_format, first, values, n, row);
}

static const struct row_format_ops slow_row_format_ops = {
    .fields = slow_fields,
    .end_row = plain_end_row,
    .close = plain_close,
};

UNUSED static struct row_format plain_row_format(const struct schema *schema)
{
    return (struct row_format){.ops = &plain_row_format_ops, .schema = schema};
}

static int compare_lines(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

// The same lines in order of bytes; free() it.
UNUSED static char *sorted_lines(struct str text)
{
    size_t n = 0, capacity = 0;
    struct str *lines = NULL;
    while (text.p != NULL && text.n > 0) {
        MEM_GROW(lines, n, capacity);
        lines[n++] = str_cut(&text, '\n');
    }
    if (n > 0)
        qsort(lines, n, sizeof(*lines), compare_lines);
    struct buf sorted = {0};
    for (size_t i = 0; i < n; i++) {
        buf_str(&sorted, lines[i]);
        buf_char(&sorted, '\n');
    }
    free(lines);
    return buf_detach(&sorted);
}

#endif
