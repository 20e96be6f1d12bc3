// SPDX-License-Identifier: Apache-2.0
// A job over a GTFS feed's files, that of the first example or a script's, in process:
// for tests of real feeds and for bench/. The records are not part of it.
#ifndef TESTS_FEED_JOB_H
#define TESTS_FEED_JOB_H

#include <stdio.h>
#include <stdlib.h>

#include "csv/table.h"
#include "storage/storage_url.h"
#include "table/native_executor.h"
#include "table/sqlite_executor.h"

static const char feed_job_script[] =
    "CREATE TABLE trips (route_id TEXT, service_id TEXT NOT NULL, trip_id TEXT NOT NULL, "
    "trip_headsign TEXT, direction_id INT, shape_id TEXT, wheelchair_accessible INT, "
    "note_fr TEXT, note_en TEXT) "
    "WITH (connector = 'filesystem', path = '/feed/trips', format = 'csv');\n"
    "CREATE TABLE calendar_dates (service_id TEXT NOT NULL, date TEXT NOT NULL, "
    "exception_type INT) "
    "WITH (connector = 'filesystem', path = '/feed/calendar_dates', format = 'csv');\n"
    "CREATE TABLE frequencies (trip_id TEXT NOT NULL, start_time TEXT, end_time TEXT, "
    "headway_secs INT) WITH (connector = 'filesystem', path = '/feed/frequencies', "
    "format = 'csv', optional = true);\n"
    "CREATE MATERIALIZED VIEW enriched_trip WITH (path = '/feed/enriched_trip', "
    "format = 'csv') AS SELECT t.*, d.date, d.exception_type, f.start_time, f.end_time, "
    "f.headway_secs FROM trips t LEFT JOIN calendar_dates d ON d.service_id = "
    "t.service_id LEFT JOIN frequencies f ON f.trip_id = t.trip_id;\n"
    "CREATE TABLE stop_times (trip_id TEXT NOT NULL, arrival_time TEXT, departure_time "
    "TEXT, stop_id TEXT, stop_sequence INT) WITH (connector = 'kafka', "
    "brokers = 'localhost:1', topic = 'stop_times', format = 'csv');\n"
    "CREATE TABLE enriched_stop_time () WITH (connector = 'filesystem', "
    "path = '/feed/result', format = 'csv');\n"
    "INSERT INTO enriched_stop_time SELECT s.*, e.route_id, e.service_id, "
    "e.trip_headsign, e.direction_id, e.shape_id, e.wheelchair_accessible, e.note_fr, "
    "e.note_en, e.date, e.exception_type, e.start_time, e.end_time, e.headway_secs "
    "FROM stop_times s JOIN enriched_trip e ON e.trip_id = s.trip_id;\n";

struct feed_job {
    struct plan *plan;
    struct storage *storage;      // the feed's directory
    struct table_store *store;    // for both executors
    struct dimensions dimensions; // empty until feed_job_build
};

static enum status no_rows_next(UNUSED struct rows *rows, struct batch *batch,
                                UNUSED struct err *err)
{
    batch_clear(batch);
    return ST_OK;
}

static void no_rows_close(UNUSED struct rows *rows)
{
}

static const struct rows_ops no_rows_ops = {.next = no_rows_next, .close = no_rows_close};

static enum status feed_job_load(struct feed_job *job, const struct table *table,
                                 struct err *err)
{
    char path[128];
    snprintf(path, sizeof(path), "%.*s.txt", STR_ARGS(table->name));
    const struct csv_table_options options = {.header = true};
    struct rows *rows = NULL;
    enum status rc =
        csv_table_open(job->storage, str_of(path), &table->schema, &options, &rows, err);
    struct rows no_rows = {.ops = &no_rows_ops, .schema = &table->schema};
    if (rc == ST_NOT_FOUND && options_number(&table->options, "optional"))
        rows = &no_rows;
    else
        TRY(rc);
    uint64_t n;
    rc = table_store_load(job->store, table, rows, &n, err);
    rows->ops->close(rows);
    return rc;
}

static enum status feed_job_load_tables(struct feed_job *job, struct err *err)
{
    for (size_t i = 0; i < job->plan->n_tables; i++)
        if (job->plan->tables[i].kind == TABLE_DIMENSION)
            TRY(feed_job_load(job, &job->plan->tables[i], err));
    return ST_OK;
}

UNUSED static void feed_job_close(struct feed_job *job)
{
    dimensions_release(&job->dimensions);
    table_store_close(job->store);
    if (job->storage != NULL)
        job->storage->ops->close(job->storage);
    plan_free(job->plan);
    *job = (struct feed_job){0};
}

static enum status feed_job_open_storage(struct feed_job *job, const char *directory,
                                         struct err *err)
{
    return storage_open(str_of(directory), &(struct storage_config){0}, &job->storage,
                        err);
}

static enum status feed_job_parse(struct feed_job *job, struct str text, struct err *err)
{
    const struct script script = {.name = STR_LITERAL("feed_job.sql"), .text = text};
    struct buf report = {0};
    enum status rc = plan_parse(&script, &job->plan, &report);
    if (rc != ST_OK)
        rc = err_set(err, rc, "%.*s", STR_ARGS(report));
    buf_release(&report);
    return rc;
}

// Reads the plan of a script; the store is empty, and nothing is wanted of it.
// `directory` is absolute. Close it also after an error.
static enum status feed_job_begin(struct feed_job *job, struct str text,
                                  const char *directory, struct err *err)
{
    const struct table_store_options options = {0};
    *job = (struct feed_job){0};
    TRY(feed_job_parse(job, text, err));
    TRY(feed_job_open_storage(job, directory, err));
    job->store = table_store_open(job->plan, &options);
    return ST_OK;
}

// For whom tables are loaded.
struct feed_job_executors {
    bool native, sqlite;
};

// The same with the tables loaded; views as the sqlite executor wants them.
UNUSED static enum status feed_job_open_script(struct feed_job *job, struct str text,
                                               const char *directory,
                                               struct feed_job_executors executors,
                                               struct err *err)
{
    TRY(feed_job_begin(job, text, directory, err));
    if (executors.native && job->plan->native != NULL)
        table_store_want_insert(job->store, true);
    if (executors.sqlite)
        table_store_want_insert(job->store, false);
    TRY(feed_job_load_tables(job, err));
    return table_store_load_views(job->store, err);
}

UNUSED static enum status feed_job_open(struct feed_job *job, const char *directory,
                                        struct err *err)
{
    const struct feed_job_executors both = {true, true};
    return feed_job_open_script(job, str_of(feed_job_script), directory, both, err);
}

// The dimension stores, for rows of that format.
UNUSED static enum status feed_job_build(struct feed_job *job,
                                         struct row_format *row_format, struct err *err)
{
    const struct dimension_options options = {0};
    return dimensions_build(job->plan->native, job->store, row_format, &options,
                            &job->dimensions, err);
}

#endif
