// SPDX-License-Identifier: Apache-2.0
// bench_queries FEED EXECUTOR SECONDS ROUNDS SCRIPT...: queries over a feed's stop_times
// in memory: records decoded, the query run, its rows put into a file's bytes.
//
// The scripts take turns, so that what disturbs one disturbs all; of each the best round
// counts. A round ends with the records, or after SECONDS of CPU time. EXECUTOR is native
// or sqlite; a query that native cannot run is said to be so. bench/queries.py makes
// scripts.
#include "bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "csv/decoder.h"
#include "csv/file_writer.h"
#include "feed_job.h"
#include "memory/output_mem.h"
#include "table/used_columns.h"

enum {
    BATCH_RECORDS = 10000,
    ROW_BUFFER = 1 << 20
};

struct totals {
    double seconds;
    size_t n_records, n_rows, n_bytes;
};

// A script at work.
struct query {
    const char *script;
    struct feed_job job;
    struct decoder *decoder;
    struct file_writer *writer;
    struct executor *executor; // NULL: it has none of that name
    struct batch batch;
    struct buf rows;
    struct memory_output to;
    double build_seconds;
    struct totals best;
};

static struct str read_text(const char *path)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0 || info.st_size == 0) {
        fprintf(stderr, "bench: %s: cannot be read\n", path);
        exit(1);
    }
    size_t n = (size_t)info.st_size;
    const char *p = mmap(NULL, n, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (p == MAP_FAILED) {
        fprintf(stderr, "bench: %s: cannot be mapped\n", path);
        exit(1);
    }
    close(fd);
    return (struct str){p, n};
}

static void open_executor(struct query *query, bool is_native)
{
    struct err err;
    struct feed_job *job = &query->job;
    if (!is_native) {
        bench_must(sqlite_executor_open(job->plan, job->store->host,
                                        query->writer->row_format, &query->executor,
                                        &err),
                   &err);
        return;
    }
    if (job->plan->native == NULL)
        return;
    bench_must(feed_job_build(job, query->writer->row_format, &err), &err);
    query->executor =
        native_executor_open(job->plan, &job->dimensions, query->writer->row_format);
    if (!native_asks(job->plan->native))
        return;
    struct sqlite_host *host;
    bench_must(table_store_host(job->store, &host, &err), &err);
    bench_must(native_executor_use_sqlite(query->executor, host, &err), &err);
}

// Only the columns that the native executor looks at, as in a job.
static void open_decoder(struct query *query, bool is_native)
{
    struct err err;
    const struct plan *plan = query->job.plan;
    bool *used = mem_array(plan->stream->schema.n, sizeof(bool));
    if (is_native && plan->native != NULL)
        used_columns(plan, used);
    else
        memset(used, true, plan->stream->schema.n);
    const struct csv_decoder_options options = {.key = -1, .used = used};
    bench_must(csv_decoder_open(&plan->stream->schema, &options, &query->decoder, &err),
               &err);
    free(used);
}

static void query_open(struct query *query, const char *script, const char *feed,
                       bool is_native)
{
    struct err err;
    double start = bench_cpu();
    *query = (struct query){.script = script, .rows = BUF_INIT(ROW_BUFFER)};
    struct str text = read_text(script);
    const struct feed_job_executors executors = {is_native, !is_native};
    bench_must(feed_job_open_script(&query->job, text, feed, executors, &err), &err);
    munmap((void *)(uintptr_t)text.p, text.n);
    const struct plan *plan = query->job.plan;
    open_decoder(query, is_native);
    query->writer = csv_file_writer_open(&plan->output, true);
    memory_output_begin(&query->to);
    bench_must(query->writer->ops->begin(query->writer, &query->to.output, 0, &err),
               &err);
    open_executor(query, is_native);
    batch_init(&query->batch, plan->stream->schema.n);
    query->build_seconds = bench_cpu() - start;
}

static void query_close(struct query *query)
{
    if (query->executor != NULL)
        query->executor->ops->close(query->executor);
    query->writer->ops->close(query->writer);
    query->decoder->ops->close(query->decoder);
    batch_release(&query->batch);
    buf_release(&query->rows);
    memory_output_release(&query->to);
    feed_job_close(&query->job);
}

// The next lines as records.
static size_t cut_records(struct str *rest, struct record *records)
{
    size_t n = 0;
    for (; n < BATCH_RECORDS && rest->n > 0; n++) {
        records[n] = (struct record){.offset = (int64_t)n, .time_ms = -1};
        records[n].value = str_cut(rest, '\n');
    }
    return n;
}

static void run_batch(struct query *query, const struct run *run, struct totals *totals)
{
    struct err err;
    struct batch *batch = &query->batch;
    struct executor_result result;
    size_t next;
    batch_clear(batch);
    bench_must(query->decoder->ops->decode(query->decoder, run, 0, batch, &next, &err),
               &err);
    for (size_t at = 0; at < batch->n_rows;) {
        buf_clear(&query->rows);
        buf_clear(&query->to.file);
        bench_must(query->executor->ops->run(query->executor, batch, at, &query->rows,
                                             &at, &result, &err),
                   &err);
        bench_must(query->writer->ops->rows(query->writer, buf_as_str(&query->rows),
                                            result.n_rows, &err),
                   &err);
        totals->n_rows += result.n_rows;
        totals->n_bytes += query->to.file.n;
    }
    if (batch->n_rejects > 0) {
        fprintf(stderr, "bench: %s: a record is rejected: %.*s\n", query->script,
                STR_ARGS(batch->rejects[0].reason));
        exit(1);
    }
}

static void run_round(struct query *query, struct str text, double limit_s)
{
    static struct record records[BATCH_RECORDS];
    struct totals totals = {0};
    str_cut(&text, '\n'); // the header
    while (text.n > 0 && totals.seconds < limit_s) {
        struct run run = {.records = records, .n = cut_records(&text, records)};
        double start = bench_cpu();
        run_batch(query, &run, &totals);
        totals.seconds += bench_cpu() - start;
        totals.n_records += run.n;
    }
    double rate = (double)totals.n_records / totals.seconds;
    if (query->best.n_records == 0 ||
        rate > (double)query->best.n_records / query->best.seconds)
        query->best = totals;
}

static void report(const struct query *query, const char *executor)
{
    const struct totals *best = &query->best;
    printf("{\"script\": \"%s\", \"executor\": %s%s%s, \"records\": %zu, \"rows\": %zu, "
           "\"bytes\": %zu, \"seconds\": %.6f, \"build_seconds\": %.3f}\n",
           query->script, query->executor ? "\"" : "",
           query->executor ? executor : "null", query->executor ? "\"" : "",
           best->n_records, best->n_rows, best->n_bytes, best->seconds,
           query->build_seconds);
}

int main(int argc, char **argv)
{
    char path[4096];
    if (argc < 6) {
        fputs("usage: bench_queries FEED EXECUTOR SECONDS ROUNDS SCRIPT...\n", stderr);
        return 2;
    }
    const char *feed = argv[1], *executor = argv[2];
    double limit_s = strtod(argv[3], NULL);
    unsigned long n_rounds = strtoul(argv[4], NULL, 10);
    size_t n = (size_t)argc - 5;
    struct query *queries = mem_array(n, sizeof(*queries));
    snprintf(path, sizeof(path), "%s/stop_times.txt", feed);
    struct str text = read_text(path);
    for (size_t i = 0; i < n; i++)
        query_open(&queries[i], argv[5 + i], feed, strcmp(executor, "native") == 0);
    for (unsigned long round = 0; round < n_rounds; round++)
        for (size_t i = 0; i < n; i++)
            if (queries[i].executor != NULL)
                run_round(&queries[i], text, limit_s);
    for (size_t i = 0; i < n; i++) {
        report(&queries[i], executor);
        query_close(&queries[i]);
    }
    free(queries);
    munmap((void *)(uintptr_t)text.p, text.n);
    return 0;
}
