// SPDX-License-Identifier: Apache-2.0
// What the files of the SQLite host share. Inside src/sql.
#ifndef SQL_SQLITE_INTERNAL_H
#define SQL_SQLITE_INTERNAL_H

#include <sqlite3.h>

#include "base/text.h"
#include "expr/functions.h"
#include "sql/sqlite_host.h"

struct sqlite_host;

// A function of expr/functions.h as SQLite calls it.
struct sqlite_scalar {
    struct sqlite_host *host;
    scalar_function *function;
};

struct sqlite_host {
    sqlite3 *db;
    bool (*go_on)(void *arg); // NULL: always
    void *go_on_arg;
    int64_t deadline_ms;  // monotonic, of what runs; 0: none
    bool is_late;         // it was ended by that
    int64_t memory_bytes; // most that SQLite may take; 0: no limit
    // The stream: its columns, and the rows that it shows now.
    const struct schema *stream;
    const struct batch *batch;
    size_t from, n;
    int n_indexes;
    char now[TEXT_TIME_MAX]; // the batch's time as text
    struct sqlite_scalar *scalars;
    struct arena call_arena; // for text that they make
};

// Registers the functions of functions.h and those that print_expr.c writes.
void sqlite_functions_register(struct sqlite_host *host);
// Registers the module "tramline_stream".
void sqlite_stream_register(struct sqlite_host *host);

// Status and text of what a call of SQLite came to: "WHAT fails: ...".
enum status sqlite_failed(struct sqlite_host *host, int rc, const char *what,
                          struct err *err);
enum status sqlite_exec(struct sqlite_host *host, const char *sql, const char *what,
                        struct err *err);
enum status sqlite_prepare(struct sqlite_host *host, struct str sql, sqlite3_stmt **ret,
                           struct err *err);
// Appends ("a" TEXT NOT NULL, ...) without the parentheses.
void sqlite_columns(const struct schema *schema, struct buf *buf);
void sqlite_bind_value(sqlite3_stmt *stmt, int index, struct value value);
void sqlite_result_value(sqlite3_context *context, struct value value);

#endif
