// SPDX-License-Identifier: Apache-2.0
// Runs a plan's SQL in an SQLite database in memory.
//
// Load the tables, make the views, then query. For a stream: declare it, index what it
// joins, open the INSERT's query once, and for each batch set the batch and rewind:
//
//     sqlite_host_stream(host, name, schema);    sqlite_host_index(host, "e", "trip_id");
//     sqlite_host_query(host, plan->insert_sql, &plan->output, &rows);
//     per batch:  sqlite_host_set_batch(host, batch, 0, batch->n_rows);
//                 sqlite_host_rewind(rows);  while (rows->ops->next(...)) ...
//
// Only SQL that src/sql printed goes in. Double-quoted strings are off, LIKE minds case,
// the functions of docs/sql.md are there, nothing can be attached or loaded.
// One thread owns a host with all that was made from it.
// Errors: ST_DATA when a value is wrong (another type, NULL in a NOT NULL column, an
// overflow, a division by zero), ST_STOP after an interrupt, else ST_FAIL.
#ifndef SQL_SQLITE_HOST_H
#define SQL_SQLITE_HOST_H

#include "core/rows.h"
#include "sql/plan.h"

struct sqlite_host;

enum status sqlite_host_open(struct sqlite_host **ret, struct err *err);
void sqlite_host_close(struct sqlite_host *host); // after all its rows are closed

// Makes a table and fills it with all of rows (which stay open). `ret_n` may be NULL.
enum status sqlite_host_load(struct sqlite_host *host, struct str name,
                             const struct schema *schema, struct rows *rows,
                             uint64_t *ret_n, struct err *err);

enum sqlite_view {
    SQLITE_VIEW,  // computed whenever it is read: to read it once, in full
    SQLITE_TABLE, // computed now and kept: to look rows up again and again
};
enum status sqlite_host_view(struct sqlite_host *host, const struct view *view,
                             enum sqlite_view how, struct err *err);

// An index, so that a small batch finds its rows without reading the whole relation.
// On a loaded table or a SQLITE_TABLE; once per column.
enum status sqlite_host_index(struct sqlite_host *host, struct str relation,
                              struct str column, struct err *err);

// Opens a query whose columns must be those of `schema`, which is borrowed for the life
// of *ret. Each `next` gives some hundreds of rows, copied into the batch.
enum status sqlite_host_query(struct sqlite_host *host, struct str sql,
                              const struct schema *schema, struct rows **ret,
                              struct err *err);
// Starts such a query again, over the tables and the batch as they are now.
void sqlite_host_rewind(struct rows *rows);
// The same with its parameters ?1 to ?n, borrowed until the next.
void sqlite_host_bind(struct rows *rows, const struct value *parameters, size_t n);

// Declares the stream: a table whose rows are those of the batch that was set last.
enum status sqlite_host_stream(struct sqlite_host *host, struct str name,
                               const struct schema *schema, struct err *err);
// The rows [from, from + n) of a batch, borrowed until the next call; its now_ms becomes
// the time that SQL's now() tells. Rewind before the next row is asked for.
void sqlite_host_set_batch(struct sqlite_host *host, const struct batch *batch,
                           size_t from, size_t n);

// The time that SQL's now() tells.
void sqlite_host_set_now(struct sqlite_host *host, int64_t now_ms);

// What runs from now on ends with ST_LIMIT behind that time (monotonic; 0: never).
void sqlite_host_set_deadline(struct sqlite_host *host, int64_t deadline_ms);
// All of SQLite in this process, in bytes: passing it is ST_LIMIT. 0: no limit.
void sqlite_host_limit_memory(struct sqlite_host *host, int64_t n_bytes);
int64_t sqlite_host_memory(void); // taken now

// Asks every few milliseconds whether to go on; false ends the query with ST_STOP.
void sqlite_host_on_progress(struct sqlite_host *host, bool (*go_on)(void *arg),
                             void *arg);

#endif
