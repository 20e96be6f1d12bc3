// SPDX-License-Identifier: Apache-2.0
// A query's rows, typed and copied batch by batch.
#include <math.h>
#include <stdlib.h>

#include "sql/sqlite_internal.h"

#include "base/text.h"

enum {
    BATCH_ROWS_MAX = 1000,
    BATCH_BYTES_MAX = 1 << 20,
};

struct sqlite_rows {
    struct rows rows;
    struct sqlite_host *host;
    sqlite3_stmt *stmt;
    bool done;
};

static enum status wrong_value(const struct sqlite_rows *rows, int i, const char *what,
                               struct err *err)
{
    const struct column *column = &rows->rows.schema->columns[i];
    return err_set(err, ST_DATA, "column '%.*s' is %s, not %s%s", STR_ARGS(column->name),
                   what, type_name(column->type),
                   column->nullable || strcmp(what, "NULL") != 0 ? "" : " NOT NULL");
}

static enum status take_integer(struct sqlite_rows *rows, int i, struct value *ret,
                                struct err *err)
{
    enum type type = rows->rows.schema->columns[i].type;
    int64_t v = sqlite3_column_int64(rows->stmt, i);
    if (type == TYPE_INT && (v < INT32_MIN || v > INT32_MAX))
        return wrong_value(rows, i, "out of range", err);
    if (type == TYPE_BOOLEAN && v != 0 && v != 1)
        return wrong_value(rows, i, "a number", err);
    if (type != TYPE_INT && type != TYPE_BIGINT && type != TYPE_BOOLEAN)
        return wrong_value(rows, i, "a whole number", err);
    *ret = (struct value){.i = v, .kind = type_kind(type)};
    return ST_OK;
}

static enum status take_real(struct sqlite_rows *rows, int i, struct value *ret,
                             struct err *err)
{
    double r = sqlite3_column_double(rows->stmt, i);
    if (rows->rows.schema->columns[i].type != TYPE_REAL)
        return wrong_value(rows, i, "REAL or out of range", err);
    if (!isfinite(r))
        return wrong_value(rows, i, "infinite", err);
    *ret = (struct value){.r = r, .kind = VALUE_REAL};
    return ST_OK;
}

static enum status take_bytes(struct sqlite_rows *rows, int i, struct arena *arena,
                              struct value *ret, struct err *err)
{
    bool is_text = sqlite3_column_type(rows->stmt, i) == SQLITE_TEXT;
    if (rows->rows.schema->columns[i].type != (is_text ? TYPE_TEXT : TYPE_BYTES))
        return wrong_value(rows, i, is_text ? "TEXT" : "BYTES", err);
    const void *p = is_text ? (const void *)sqlite3_column_text(rows->stmt, i)
                            : sqlite3_column_blob(rows->stmt, i);
    struct str s = {p, (size_t)sqlite3_column_bytes(rows->stmt, i)};
    *ret = value_text(arena_str(arena, s));
    ret->kind = is_text ? VALUE_TEXT : VALUE_BYTES;
    return ST_OK;
}

static enum status take_value(struct sqlite_rows *rows, int i, struct arena *arena,
                              struct value *ret, struct err *err)
{
    switch (sqlite3_column_type(rows->stmt, i)) {
    case SQLITE_NULL:
        *ret = (struct value){0};
        if (!rows->rows.schema->columns[i].nullable)
            return wrong_value(rows, i, "NULL", err);
        return ST_OK;
    case SQLITE_INTEGER:
        return take_integer(rows, i, ret, err);
    case SQLITE_FLOAT:
        return take_real(rows, i, ret, err);
    default:
        return take_bytes(rows, i, arena, ret, err);
    }
}

static enum status take_row(struct sqlite_rows *rows, struct batch *batch,
                            struct err *err)
{
    struct value *row = batch_add(batch, (uint32_t)batch->n_rows);
    for (size_t i = 0; i < rows->rows.schema->n; i++)
        TRY(take_value(rows, (int)i, &batch->arena, &row[i], err));
    return ST_OK;
}

static enum status next(struct rows *base, struct batch *batch, struct err *err)
{
    struct sqlite_rows *rows = (struct sqlite_rows *)base;
    batch_clear(batch);
    while (!rows->done && batch->n_rows < BATCH_ROWS_MAX &&
           batch->arena.n_bytes < BATCH_BYTES_MAX) {
        int rc = sqlite3_step(rows->stmt);
        if (rc == SQLITE_ROW) {
            TRY(take_row(rows, batch, err));
            continue;
        }
        rows->done = true;
        enum status status =
            rc == SQLITE_DONE ? ST_OK : sqlite_failed(rows->host, rc, "the query", err);
        sqlite3_reset(rows->stmt);
        return status;
    }
    return ST_OK;
}

static void close_rows(struct rows *base)
{
    struct sqlite_rows *rows = (struct sqlite_rows *)base;
    if (rows == NULL)
        return;
    sqlite3_finalize(rows->stmt);
    free(rows);
}

static const struct rows_ops ops = {.next = next, .close = close_rows};

enum status sqlite_host_query(struct sqlite_host *host, struct str sql,
                              const struct schema *schema, struct rows **ret,
                              struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    TRY(sqlite_prepare(host, sql, &stmt, err));
    if ((size_t)sqlite3_column_count(stmt) != schema->n) {
        int n = sqlite3_column_count(stmt);
        sqlite3_finalize(stmt);
        return err_set(err, ST_FAIL, "sqlite: the query has %s, not %zu",
                       text_counted(n, "column", "columns"), schema->n);
    }
    struct sqlite_rows *rows = mem_zalloc(sizeof(*rows));
    *rows = (struct sqlite_rows){
        .rows = {.ops = &ops, .schema = schema}, .host = host, .stmt = stmt};
    *ret = &rows->rows;
    return ST_OK;
}

void sqlite_host_rewind(struct rows *base)
{
    struct sqlite_rows *rows = (struct sqlite_rows *)base;
    sqlite3_reset(rows->stmt);
    rows->done = false;
}

void sqlite_host_bind(struct rows *base, const struct value *parameters, size_t n)
{
    struct sqlite_rows *rows = (struct sqlite_rows *)base;
    sqlite_host_rewind(base);
    for (size_t i = 0; i < n; i++)
        sqlite_bind_value(rows->stmt, (int)i + 1, parameters[i]);
}
