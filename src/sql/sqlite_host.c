// SPDX-License-Identifier: Apache-2.0
#include "sql/sqlite_host.h"

#include <assert.h>
#include <stdlib.h>

#include "base/text.h"
#include "core/env.h"
#include "sql/print.h"
#include "sql/sqlite_internal.h"

enum {
    // SQLite 3.40 loses rows of a left join where it computes a condition within an
    // aggregate view: SQLITE_PushDown of its sources.
    PUSH_DOWN = 0x1000,
    PROGRESS_STEPS = 100000, // of SQLite's machine: a few milliseconds
    VALUE_BYTES_MAX = 256 << 20,
    SQL_BYTES_MAX = 64 << 20,
};

// An error that a row's values raise while a statement runs.
static bool is_data_error(int rc)
{
    int primary = rc & 0xff;
    return primary == SQLITE_ERROR || primary == SQLITE_CONSTRAINT ||
           primary == SQLITE_MISMATCH || primary == SQLITE_TOOBIG ||
           primary == SQLITE_RANGE;
}

enum status sqlite_failed(struct sqlite_host *host, int rc, const char *what,
                          struct err *err)
{
    if ((rc & 0xff) == SQLITE_INTERRUPT && host->is_late)
        return err_set(err, ST_LIMIT, "%s takes longer than batch.record_timeout", what);
    if ((rc & 0xff) == SQLITE_INTERRUPT)
        return err_set(err, ST_STOP, "%s: interrupted", what);
    if ((rc & 0xff) == SQLITE_NOMEM)
        return err_set(err, ST_LIMIT, "%s takes more than %lld MB of memory", what,
                       (long long)host->memory_bytes >> 20);
    return err_set(err, is_data_error(rc) ? ST_DATA : ST_FAIL, "%s fails: %s", what,
                   sqlite3_errmsg(host->db));
}

enum status sqlite_exec(struct sqlite_host *host, const char *sql, const char *what,
                        struct err *err)
{
    int rc = sqlite3_exec(host->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? ST_OK : sqlite_failed(host, rc, what, err);
}

enum status sqlite_prepare(struct sqlite_host *host, struct str sql, sqlite3_stmt **ret,
                           struct err *err)
{
    int rc = sqlite3_prepare_v3(host->db, sql.p, (int)sql.n, SQLITE_PREPARE_PERSISTENT,
                                ret, NULL);
    if (rc == SQLITE_OK && *ret != NULL)
        return ST_OK;
    return err_set(err, ST_FAIL, "sqlite: %s", sqlite3_errmsg(host->db));
}

static int progress(void *arg)
{
    struct sqlite_host *host = arg;
    struct env *env = env_system();
    host->is_late =
        host->deadline_ms != 0 && env->ops->monotonic_ms(env) >= host->deadline_ms;
    return host->is_late || (host->go_on != NULL && !host->go_on(host->go_on_arg));
}

static void configure(sqlite3 *db)
{
    sqlite3_test_control(SQLITE_TESTCTRL_OPTIMIZATIONS, db, PUSH_DOWN);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX);
    sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, SQL_BYTES_MAX);
}

static enum status set_up(struct sqlite_host *host, struct err *err)
{
    configure(host->db);
    TRY(sqlite_exec(host,
                    "PRAGMA case_sensitive_like = 1; PRAGMA journal_mode = OFF;"
                    "PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY;",
                    "SQLite", err));
    sqlite_functions_register(host);
    sqlite_stream_register(host);
    text_time(0, host->now);
    sqlite3_progress_handler(host->db, PROGRESS_STEPS, progress, host);
    return ST_OK;
}

enum status sqlite_host_open(struct sqlite_host **ret, struct err *err)
{
    struct sqlite_host *host = mem_zalloc(sizeof(*host));
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY |
                SQLITE_OPEN_NOMUTEX;
    sqlite3_hard_heap_limit64(0);
    int rc = sqlite3_open_v2(":memory:", &host->db, flags, NULL);
    assert(rc == SQLITE_OK); // it fails only without memory
    enum status status = set_up(host, err);
    if (status != ST_OK) {
        sqlite_host_close(host);
        return status;
    }
    *ret = host;
    return ST_OK;
}

void sqlite_host_close(struct sqlite_host *host)
{
    if (host == NULL)
        return;
    sqlite3_close_v2(host->db);
    arena_release(&host->call_arena);
    sqlite3_hard_heap_limit64(0);
    free(host->scalars);
    free(host);
}

void sqlite_host_on_progress(struct sqlite_host *host, bool (*go_on)(void *arg),
                             void *arg)
{
    host->go_on = go_on;
    host->go_on_arg = arg;
}

void sqlite_host_set_deadline(struct sqlite_host *host, int64_t deadline_ms)
{
    host->deadline_ms = deadline_ms;
    host->is_late = false;
}

void sqlite_host_limit_memory(struct sqlite_host *host, int64_t n_bytes)
{
    host->memory_bytes = n_bytes;
    sqlite3_hard_heap_limit64(n_bytes);
}

int64_t sqlite_host_memory(void)
{
    return sqlite3_memory_used();
}

static const char *storage_type(enum type type)
{
    switch (type) {
    case TYPE_TEXT:
        return "TEXT";
    case TYPE_REAL:
        return "REAL";
    case TYPE_BYTES:
        return "BLOB";
    default:
        return "INTEGER";
    }
}

void sqlite_columns(const struct schema *schema, struct buf *buf)
{
    struct printer printer = {.out = buf};
    for (size_t i = 0; i < schema->n; i++) {
        const struct column *column = &schema->columns[i];
        buf_text(buf, i ? ", " : "");
        print_name(&printer, column->name);
        buf_printf(buf, " %s%s", storage_type(column->type),
                   column->nullable ? "" : " NOT NULL");
    }
}

void sqlite_bind_value(sqlite3_stmt *stmt, int index, struct value value)
{
    switch (value.kind) {
    case VALUE_TEXT:
        sqlite3_bind_text(stmt, index, value.n ? value.p : "", (int)value.n,
                          SQLITE_STATIC);
        break;
    case VALUE_BYTES:
        sqlite3_bind_blob(stmt, index, value.n ? value.p : "", (int)value.n,
                          SQLITE_STATIC);
        break;
    case VALUE_REAL:
        sqlite3_bind_double(stmt, index, value.r);
        break;
    case VALUE_INT:
    case VALUE_BOOL:
        sqlite3_bind_int64(stmt, index, value.i);
        break;
    default:
        sqlite3_bind_null(stmt, index);
        break;
    }
}

// Tables.

static enum status create_table(struct sqlite_host *host, struct str name,
                                const struct schema *schema, struct err *err)
{
    AUTO(buf_release) struct buf sql = {0};
    struct printer printer = {.out = &sql};
    buf_text(&sql, "CREATE TABLE ");
    print_name(&printer, name);
    buf_text(&sql, " (");
    sqlite_columns(schema, &sql);
    buf_text(&sql, ") STRICT");
    return sqlite_exec(host, buf_cstr(&sql), "SQLite", err);
}

static enum status prepare_insert(struct sqlite_host *host, struct str name,
                                  size_t n_columns, sqlite3_stmt **ret, struct err *err)
{
    AUTO(buf_release) struct buf sql = {0};
    struct printer printer = {.out = &sql};
    buf_text(&sql, "INSERT INTO ");
    print_name(&printer, name);
    buf_text(&sql, " VALUES (");
    for (size_t i = 0; i < n_columns; i++)
        buf_text(&sql, i ? ", ?" : "?");
    buf_text(&sql, ")");
    return sqlite_prepare(host, buf_as_str(&sql), ret, err);
}

static enum status insert_batch(struct sqlite_host *host, sqlite3_stmt *insert,
                                const struct schema *schema, const struct batch *batch,
                                struct err *err)
{
    for (size_t i = 0; i < batch->n_rows; i++) {
        const struct value *row = batch_row(batch, i);
        TRY(batch_check_row(schema, row, err));
        for (size_t c = 0; c < schema->n; c++)
            sqlite_bind_value(insert, (int)c + 1, row[c]);
        int rc = sqlite3_step(insert);
        sqlite3_reset(insert);
        if (rc != SQLITE_DONE)
            return sqlite_failed(host, rc, "SQLite", err);
    }
    return ST_OK;
}

static enum status insert_all(struct sqlite_host *host, sqlite3_stmt *insert,
                              const struct schema *schema, struct rows *rows,
                              uint64_t *ret_n, struct err *err)
{
    AUTO(batch_release) struct batch batch;
    batch_init(&batch, schema->n);
    do {
        TRY(rows->ops->next(rows, &batch, err));
        enum status rc = insert_batch(host, insert, schema, &batch, err);
        if (rc != ST_OK)
            return err_context(err, rc, "row %llu or later",
                               (unsigned long long)*ret_n + 1);
        *ret_n += batch.n_rows;
    } while (batch.n_rows > 0);
    return ST_OK;
}

enum status sqlite_host_load(struct sqlite_host *host, struct str name,
                             const struct schema *schema, struct rows *rows,
                             uint64_t *ret_n, struct err *err)
{
    uint64_t n = 0;
    sqlite3_stmt *insert = NULL;
    TRY(create_table(host, name, schema, err));
    TRY(prepare_insert(host, name, schema->n, &insert, err));
    enum status status = sqlite_exec(host, "BEGIN", "SQLite", err);
    if (status == ST_OK)
        status = insert_all(host, insert, schema, rows, &n, err);
    sqlite3_finalize(insert);
    if (status != ST_OK)
        return err_context(err, status, "table '%.*s'", STR_ARGS(name));
    TRY(sqlite_exec(host, "COMMIT", "SQLite", err));
    if (ret_n != NULL)
        *ret_n = n;
    return ST_OK;
}

// Views.

static enum status create_view(struct sqlite_host *host, const struct view *view,
                               struct err *err)
{
    AUTO(buf_release) struct buf sql = {0};
    struct printer printer = {.out = &sql};
    buf_text(&sql, "CREATE VIEW ");
    print_name(&printer, view->name);
    buf_text(&sql, " AS ");
    buf_str(&sql, view->sql);
    return sqlite_exec(host, buf_cstr(&sql), "SQLite", err);
}

static enum status fill_table(struct sqlite_host *host, const struct view *view,
                              struct err *err)
{
    AUTO(buf_release) struct buf sql = {0};
    struct printer printer = {.out = &sql};
    TRY(create_table(host, view->name, &view->schema, err));
    buf_text(&sql, "INSERT INTO ");
    print_name(&printer, view->name);
    buf_text(&sql, " ");
    buf_str(&sql, view->sql);
    return sqlite_exec(host, buf_cstr(&sql), "the query", err);
}

enum status sqlite_host_view(struct sqlite_host *host, const struct view *view,
                             enum sqlite_view how, struct err *err)
{
    enum status status =
        how == SQLITE_VIEW ? create_view(host, view, err) : fill_table(host, view, err);
    return status == ST_OK ? ST_OK
                           : err_context(err, status, "%s '%.*s'", view_kind(view),
                                         STR_ARGS(view_shown_name(view)));
}

enum status sqlite_host_index(struct sqlite_host *host, struct str relation,
                              struct str column, struct err *err)
{
    AUTO(buf_release) struct buf sql = {0};
    struct printer printer = {.out = &sql};
    // Tables share their names with indexes; print_name gives none this one.
    buf_printf(&sql, "CREATE INDEX \"^.index %d\" ON ", ++host->n_indexes);
    print_name(&printer, relation);
    buf_text(&sql, " (");
    print_name(&printer, column);
    buf_text(&sql, ")");
    enum status rc = sqlite_exec(host, buf_cstr(&sql), "SQLite", err);
    if (rc != ST_OK)
        return err_context(err, rc, "index of %.*s.%.*s", STR_ARGS(relation),
                           STR_ARGS(column));
    return ST_OK;
}
