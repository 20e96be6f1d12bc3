// SPDX-License-Identifier: Apache-2.0
// For tests of src/sql: scripts to plans, rows from text, results as text.
#ifndef TESTS_SQL_HELP_H
#define TESTS_SQL_HELP_H

#include "sql/sqlite_host.h"
#include "test.h"

// A table of the filesystem, a stream, a sink: what follows the columns.
#define DIM " WITH (connector = 'filesystem', path = '/x', format = 'csv');\n"
#define STREAM \
    " WITH (connector = 'kafka', brokers = 'b', topic = 't', format = 'csv');\n"
#define SINK " WITH (connector = 'filesystem', path = '/out', format = 'csv');\n"

static inline enum status sql_parse(const char *text, struct plan **ret,
                                    struct buf *report)
{
    struct script script = {.name = STR_LITERAL("p.sql"), .text = str_of(text)};
    return plan_parse(&script, ret, report);
}

static inline struct plan *sql_plan(const char *text)
{
    AUTO(buf_release) struct buf report = {0};
    struct plan *plan = NULL;
    if (sql_parse(text, &plan, &report) != ST_OK)
        fail_msg("%s\n%s", text, buf_cstr(&report));
    return plan;
}

// Rows from lines of values between '|'; "~" is NULL.
struct text_rows {
    struct rows rows;
    const char *const *lines;
    size_t n_lines;
    bool given;
};

static inline void sql_fill_row(const struct schema *schema, struct batch *batch,
                                const char *line)
{
    struct value *row = batch_add(batch, (uint32_t)batch->n_rows);
    struct str rest = str_of(line);
    for (size_t i = 0; i < schema->n; i++) {
        struct str cell = str_cut(&rest, '|');
        if (!str_is(cell, "~") && !value_parse(schema->columns[i].type, cell, &row[i]))
            fail_msg("%s: '%.*s' is not %s", line, STR_ARGS(cell),
                     type_name(schema->columns[i].type));
    }
}

static enum status text_rows_next(struct rows *base, struct batch *batch, struct err *err)
{
    struct text_rows *rows = (struct text_rows *)base;
    (void)err;
    batch_clear(batch);
    for (size_t i = 0; i < rows->n_lines && !rows->given; i++)
        sql_fill_row(base->schema, batch, rows->lines[i]);
    rows->given = true;
    return ST_OK;
}

static void text_rows_close(struct rows *rows)
{
    (void)rows;
}

static const struct rows_ops text_rows_ops = {.next = text_rows_next,
                                              .close = text_rows_close};

static inline void sql_load(struct sqlite_host *host, const struct table *table,
                            const char *const *lines, size_t n_lines)
{
    struct err err = {0};
    struct text_rows rows = {
        .rows = {.ops = &text_rows_ops, .schema = &table->schema},
        .lines = lines,
        .n_lines = n_lines,
    };
    uint64_t n = 0;
    assert_ok(sqlite_host_load(host, table->name, &table->schema, &rows.rows, &n, &err),
              &err);
    assert_int_equal(n, n_lines);
}

static inline void sql_row_text(const struct value *row, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++) {
        buf_text(out, i ? "|" : "");
        if (row[i].kind == VALUE_NULL)
            buf_text(out, "~");
        else
            value_format(row[i], out);
    }
    buf_char(out, '\n');
}

// All rows of a query, one line each, in the query's order.
static inline enum status sql_run(struct rows *rows, struct buf *out, struct err *err)
{
    AUTO(batch_release) struct batch batch;
    batch_init(&batch, rows->schema->n);
    do {
        TRY(rows->ops->next(rows, &batch, err));
        for (size_t i = 0; i < batch.n_rows; i++)
            sql_row_text(batch_row(&batch, i), batch.n_columns, out);
    } while (batch.n_rows > 0);
    return ST_OK;
}

#endif
