// SPDX-License-Identifier: Apache-2.0
// The stream as a table of SQLite: its rows are those of the batch that was set last.
//
// One column more, hidden: the row's index in the batch, see print.h.
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "sql/print.h"
#include "sql/sqlite_internal.h"

enum {
    EXPECTED_ROWS = 1000, // what the query planner takes a batch to be
};

struct stream_table {
    sqlite3_vtab base;
    struct sqlite_host *host;
};

struct stream_cursor {
    sqlite3_vtab_cursor base;
    size_t row; // of the rows that are shown
};

static const struct sqlite_host *host_of(const sqlite3_vtab_cursor *cursor)
{
    return ((const struct stream_table *)cursor->pVtab)->host;
}

static int declare(sqlite3 *db, const struct schema *schema)
{
    AUTO(buf_release) struct buf sql = {0};
    buf_text(&sql, "CREATE TABLE x (");
    sqlite_columns(schema, &sql);
    buf_text(&sql, ", \"" STREAM_ROW_COLUMN "\" INTEGER HIDDEN)");
    return sqlite3_declare_vtab(db, buf_cstr(&sql));
}

static int stream_connect(sqlite3 *db, void *aux, int argc, const char *const *argv,
                          sqlite3_vtab **ret, char **ret_error)
{
    (void)argc;
    (void)argv;
    (void)ret_error;
    struct sqlite_host *host = aux;
    int rc = declare(db, host->stream);
    if (rc != SQLITE_OK)
        return rc;
    sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
    struct stream_table *table = mem_zalloc(sizeof(*table));
    table->host = host;
    *ret = &table->base;
    return SQLITE_OK;
}

static int stream_disconnect(sqlite3_vtab *table)
{
    free(table);
    return SQLITE_OK;
}

static int stream_best_index(sqlite3_vtab *table, sqlite3_index_info *info)
{
    (void)table;
    info->estimatedCost = EXPECTED_ROWS;
    info->estimatedRows = EXPECTED_ROWS;
    return SQLITE_OK;
}

static int stream_open(sqlite3_vtab *table, sqlite3_vtab_cursor **ret)
{
    (void)table;
    struct stream_cursor *cursor = mem_zalloc(sizeof(*cursor));
    *ret = &cursor->base;
    return SQLITE_OK;
}

static int stream_close(sqlite3_vtab_cursor *cursor)
{
    free(cursor);
    return SQLITE_OK;
}

static int stream_filter(sqlite3_vtab_cursor *cursor, int number, const char *text,
                         int argc, sqlite3_value **argv)
{
    (void)number;
    (void)text;
    (void)argc;
    (void)argv;
    ((struct stream_cursor *)cursor)->row = 0;
    return SQLITE_OK;
}

static int stream_next(sqlite3_vtab_cursor *cursor)
{
    ((struct stream_cursor *)cursor)->row++;
    return SQLITE_OK;
}

static int stream_eof(sqlite3_vtab_cursor *cursor)
{
    return ((struct stream_cursor *)cursor)->row >= host_of(cursor)->n;
}

void sqlite_result_value(sqlite3_context *context, struct value value)
{
    switch (value.kind) {
    case VALUE_TEXT:
        sqlite3_result_text(context, value.n ? value.p : "", (int)value.n, SQLITE_STATIC);
        break;
    case VALUE_BYTES:
        sqlite3_result_blob(context, value.n ? value.p : "", (int)value.n, SQLITE_STATIC);
        break;
    case VALUE_REAL:
        sqlite3_result_double(context, value.r);
        break;
    case VALUE_INT:
    case VALUE_BOOL:
        sqlite3_result_int64(context, value.i);
        break;
    default:
        sqlite3_result_null(context);
        break;
    }
}

static int stream_column(sqlite3_vtab_cursor *cursor, sqlite3_context *context,
                         int column)
{
    const struct sqlite_host *host = host_of(cursor);
    size_t row = host->from + ((const struct stream_cursor *)cursor)->row;
    if ((size_t)column == host->batch->n_columns)
        sqlite3_result_int64(context, (sqlite3_int64)row);
    else
        sqlite_result_value(context, batch_row(host->batch, row)[column]);
    return SQLITE_OK;
}

static int stream_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *ret)
{
    *ret = (sqlite3_int64)((const struct stream_cursor *)cursor)->row;
    return SQLITE_OK;
}

static const sqlite3_module module = {
    .iVersion = 0,
    .xCreate = stream_connect,
    .xConnect = stream_connect,
    .xBestIndex = stream_best_index,
    .xDisconnect = stream_disconnect,
    .xDestroy = stream_disconnect,
    .xOpen = stream_open,
    .xClose = stream_close,
    .xFilter = stream_filter,
    .xNext = stream_next,
    .xEof = stream_eof,
    .xColumn = stream_column,
    .xRowid = stream_rowid,
};

void sqlite_stream_register(struct sqlite_host *host)
{
    int rc = sqlite3_create_module(host->db, "tramline_stream", &module, host);
    assert(rc == SQLITE_OK); // it fails only without memory
}

enum status sqlite_host_stream(struct sqlite_host *host, struct str name,
                               const struct schema *schema, struct err *err)
{
    AUTO(buf_release) struct buf sql = {0};
    struct printer printer = {.out = &sql};
    host->stream = schema;
    buf_text(&sql, "CREATE VIRTUAL TABLE ");
    print_name(&printer, name);
    buf_text(&sql, " USING tramline_stream");
    return sqlite_exec(host, buf_cstr(&sql), "SQLite", err);
}

void sqlite_host_set_batch(struct sqlite_host *host, const struct batch *batch,
                           size_t from, size_t n)
{
    host->batch = batch;
    host->from = from;
    host->n = n;
    sqlite_host_set_now(host, batch->now_ms);
}

void sqlite_host_set_now(struct sqlite_host *host, int64_t now_ms)
{
    text_time(now_ms, host->now);
}
