// SPDX-License-Identifier: Apache-2.0
// The tables side of a job: staged files read, views made, the executor built.
//
// Tables of two extracts are never mixed in silence: what _feed.json says of the files is
// compared before, and whether it or a file has changed is looked at after. One thread.
#ifndef JOB_TABLES_H
#define JOB_TABLES_H

#include "core/rows.h"
#include "csv/table.h"
#include "gtfs/expiry.h"
#include "job/pipeline.h"
#include "table/dimensions.h"
#include "table/native_executor.h"
#include "table/sqlite_executor.h"

enum {
    TABLES_LOAD_TRIES = 3 // of tables that change while they are read
};

struct tables {
    struct table_store *store; // closed early when native needs no more
    struct dimensions dimensions;
    char version[65];     // of the staged files; changes when any of them does
    int64_t *n_rows;      // of each table of the plan; 0 for the stream and the result
    struct expiry *dates; // of each table: for which days it knows service
};

// The one data file in a table's directory; its name lives in the arena. ST_NOT_FOUND
// when there is none, ST_DATA when there are several.
enum status tables_find_file(struct storage *storage, const struct table *table,
                             struct arena *arena, struct file_info *ret, struct err *err);
// Opens the one file in a table's directory. ST_NOT_FOUND with a way out when there is
// none. `storage` and `table` are borrowed for the life of rows.
enum status table_rows_open(struct storage *storage, const struct table *table,
                            struct rows **ret, struct err *err);

// Whether the columns fit what the format's options name; reads no table.
enum status table_check(const struct table *table, struct err *err);

// How a feed's CSV is read that the table is made of.
struct csv_table_options table_feed_options(const struct table *table);

// Says in the log which rows a table's reader left out or had to make whole.
void table_tell_rows(const struct table *table, const struct rows_stats *stats);

// Loads all tables, and the views that are wanted of them; `quiet` shows no progress.
// `view` is wanted, or when it is NULL the INSERT and all materialized ones. Soon after
// pipeline->deadline is over it is ST_STOP or ST_RETRY, from tables_executor and those of
// tables_views.h too.
enum status tables_load(const struct pipeline *pipeline, const struct view *view,
                        bool quiet, struct tables *ret, struct err *err);
// An extract that replaces the tables just now is waited for; it takes a moment. ST_DATA:
// one was cut off while it did.
enum status tables_wait_for_extract(const struct pipeline *pipeline, struct err *err);
// The same one after the other, each with its own error: an empty `ret` first, then each
// table of the plan that is a dimension, then the views over all of them.
void tables_begin(const struct pipeline *pipeline, const struct view *view,
                  struct tables *ret);
enum status tables_load_one(const struct pipeline *pipeline, struct tables *tables,
                            size_t index, struct err *err);
enum status tables_load_views(struct tables *tables, struct err *err);
// The error of tables that change again and again.
enum status tables_changed_again(struct err *err);
// Whether SET executor can run the query at all.
enum status tables_executor_check(const struct plan *plan, struct err *err);
// Whether the native executor runs the query, or SQLite: by the plan and SET executor.
bool tables_run_natively(const struct plan *plan);
// The joined tables of a query that runs natively, for row_format. tables_executor does
// so too, unless it is done.
enum status tables_build_dimensions(const struct pipeline *pipeline,
                                    struct tables *tables, struct row_format *row_format,
                                    struct err *err);
// The executor of a query that can be run. `row_format` is borrowed for the executor's
// life.
enum status tables_executor(const struct pipeline *pipeline, struct tables *tables,
                            struct row_format *row_format, struct executor **ret,
                            struct err *err);
// Version of what is staged now, cheaply: _feed.json's, else of names, sizes and times.
enum status tables_version(const struct pipeline *pipeline, char ret[65],
                           struct err *err);
void tables_release(struct tables *tables);

#endif
