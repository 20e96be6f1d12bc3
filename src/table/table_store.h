// SPDX-License-Identifier: Apache-2.0
// The tables of a plan in memory, and queries over them.
//
// A table is kept as columns, only those that some query reads; queries over them run
// without SQLite (query_rows.h). What only SQLite can run finds its tables and views in a
// database, and no others. The order of calls: open, want what will be asked for, load
// each table, load the views, then ask. One thread; tables that are apart may be loaded
// side by side.
// Errors: ST_DATA as sqlite_host.h, ST_STOP when go_on says no, ST_LIMIT when columns,
// database and what queries keep together pass limit_bytes.
#ifndef TABLE_TABLE_STORE_H
#define TABLE_TABLE_STORE_H

#include "core/rows.h"
#include "sql/sqlite_host.h"
#include "table/columns.h"

struct table_store_options {
    size_t limit_bytes;       // of memory; 0: none
    bool (*go_on)(void *arg); // asked now and then; NULL: always
    void *go_on_arg;
};

// How a table is kept.
struct stored_table {
    bool *wanted; // of each column: as a column here
    bool is_wanted;
    bool in_sqlite;
    struct columns columns;
    size_t *places; // of each column of the table among the columns
};

struct table_store {
    const struct plan *plan;
    struct table_store_options options;
    struct stored_table *tables; // of each table of the plan
    bool *views;                 // of each view of the plan: in SQLite
    struct sqlite_host *host;    // NULL: not needed yet
    bool runs_insert;            // SQLite does, or is asked about its rows
    bool needs_sqlite;           // for what is wanted
    // Of all columns, of what queries keep, and of what is made of them; two queries may
    // run on two threads.
    _Atomic size_t n_bytes;
};

struct table_store *table_store_open(const struct plan *plan,
                                     const struct table_store_options *options);
void table_store_close(struct table_store *store); // after all rows are closed

void table_store_want_view(struct table_store *store, const struct view *view);
// The INSERT: its joins by the native executor, or all of it by SQLite.
void table_store_want_insert(struct table_store *store, bool native);

// Whether anything that is wanted only SQLite can run.
bool table_store_needs_sqlite(const struct table_store *store);

// Whether it touches nothing but what is its own to load this table: SQLite has no part
// in it.
bool table_store_is_apart(const struct table_store *store, const struct table *table);
// Takes all of a table's rows (which stay open).
enum status table_store_load(struct table_store *store, const struct table *table,
                             struct rows *rows, uint64_t *ret_n, struct err *err);
enum status table_store_load_views(struct table_store *store, struct err *err);

enum status table_store_view(struct table_store *store, const struct view *view,
                             struct rows **ret, struct err *err);
enum status table_store_join(struct table_store *store, const struct native_join *join,
                             struct rows **ret, struct err *err);
// Adds to an error of that join's rows the names of the views that it reads.
enum status table_store_at_views(const struct table_store *store,
                                 const struct native_join *join, enum status rc,
                                 struct err *err);
// Runs SQL over what is in the database.
enum status table_store_sql(struct table_store *store, struct str sql,
                            const struct schema *schema, struct rows **ret,
                            struct err *err);
// Adds all rows to columns of the schema.
enum status table_store_add_rows(struct table_store *store, struct columns *columns,
                                 const struct schema *schema, struct rows *rows,
                                 struct err *err);
// The database, for the sqlite executor.
enum status table_store_host(struct table_store *store, struct sqlite_host **ret,
                             struct err *err);

// Frees the columns; the database stays.
void table_store_release_columns(struct table_store *store);

// Memory, with SQLite's.
size_t table_store_bytes(const struct table_store *store);
// ST_LIMIT when n_bytes more are too many.
enum status table_store_check(const struct table_store *store, size_t n_bytes,
                              struct err *err);
// ST_STOP when go_on says no.
enum status table_store_go_on(const struct table_store *store, struct err *err);

#endif
