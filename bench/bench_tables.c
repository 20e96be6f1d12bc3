// SPDX-License-Identifier: Apache-2.0
// bench_tables FEED: from the feed's files to what the stream is joined with: tables in
// columns joined without SQLite, and beside it the same by SQLite.
#include "bench.h"

#include <stdio.h>

#include "csv/row_format.h"
#include "feed_job.h"

struct figures {
    double read, built; // CPU seconds
    size_t n_rows, table_bytes, build_bytes;
};

static void keep_best(struct figures *best, const struct figures *round)
{
    double whole = best->read + best->built;
    if (whole == 0 || round->read + round->built < whole)
        *best = *round;
}

// Reads the tables for one of the executors.
static void begin(struct feed_job *job, const char *feed, bool native,
                  struct figures *ret)
{
    struct err err;
    bench_must(feed_job_begin(job, str_of(feed_job_script), feed, &err), &err);
    table_store_want_insert(job->store, native);
    double start = bench_cpu();
    bench_must(feed_job_load_tables(job, &err), &err);
    ret->read = bench_cpu() - start;
    ret->table_bytes = table_store_bytes(job->store);
}

static void note_dimension(const struct dimension *dimension, double start,
                           struct figures *ret)
{
    ret->built = bench_cpu() - start;
    ret->n_rows = dimension->stats.n_rows;
    ret->build_bytes = dimension->stats.peak_bytes;
}

static struct figures by_columns(const char *feed)
{
    struct figures figures;
    struct feed_job job;
    struct err err;
    begin(&job, feed, true, &figures);
    struct row_format *row_format = csv_row_format_open(&job.plan->output);
    double start = bench_cpu();
    bench_must(feed_job_build(&job, row_format, &err), &err);
    note_dimension(job.dimensions.items[0], start, &figures);
    row_format->ops->close(row_format);
    feed_job_close(&job);
    return figures;
}

static struct dimension *build_by_sqlite(struct feed_job *job,
                                         struct row_format *row_format)
{
    const struct dimension_options options = {0};
    const struct native_branch *branch = &job->plan->native->branches[0];
    const struct native_join *join = &branch->joins[0];
    struct sqlite_host *host = job->store->host;
    struct dimension *dimension;
    struct rows *rows;
    struct err err;
    bench_must(sqlite_host_view(host, &job->plan->views[0], SQLITE_VIEW, &err), &err);
    bench_must(sqlite_host_query(host, join->sql, &join->read_schema, &rows, &err), &err);
    bench_must(dimension_build(branch, 0, rows, row_format, &options, &dimension, &err),
               &err);
    rows->ops->close(rows);
    return dimension;
}

static struct figures by_sqlite(const char *feed)
{
    struct figures figures;
    struct feed_job job;
    begin(&job, feed, false, &figures);
    struct row_format *row_format = csv_row_format_open(&job.plan->output);
    double start = bench_cpu();
    struct dimension *dimension = build_by_sqlite(&job, row_format);
    note_dimension(dimension, start, &figures);
    dimension_free(dimension);
    row_format->ops->close(row_format);
    feed_job_close(&job);
    return figures;
}

static void report(const char *how, const struct figures *figures)
{
    char name[64];
    snprintf(name, sizeof(name), "read, %s", how);
    bench_result("tables", name, figures->read, "s");
    snprintf(name, sizeof(name), "joined and built, %s", how);
    bench_result("tables", name, figures->built, "s");
    snprintf(name, sizeof(name), "the tables in memory, %s", how);
    bench_result("tables", name, (double)figures->table_bytes / 1e6, "MB");
}

int main(int argc, char **argv)
{
    struct figures columns = {0}, sqlite = {0};
    if (argc != 2) {
        fputs("usage: bench_tables FEED\n", stderr);
        return 2;
    }
    for (int i = 0; i < BENCH_ROUNDS; i++) { // in turn, so that both meet the same noise
        struct figures round = by_columns(argv[1]);
        keep_best(&columns, &round);
        round = by_sqlite(argv[1]);
        keep_best(&sqlite, &round);
    }
    if (columns.n_rows != sqlite.n_rows) {
        fprintf(stderr, "%zu rows, by SQLite %zu\n", columns.n_rows, sqlite.n_rows);
        return 1;
    }
    bench_result("tables", "rows", (double)columns.n_rows, "rows");
    report("columns", &columns);
    report("sqlite", &sqlite);
    bench_result("tables", "most while it was built", (double)columns.build_bytes / 1e6,
                 "MB");
    bench_result("tables", "sqlite / columns",
                 (sqlite.read + sqlite.built) / (columns.read + columns.built), "x");
    return 0;
}
