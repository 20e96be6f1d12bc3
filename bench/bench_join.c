// SPDX-License-Identifier: Apache-2.0
// bench_join FEED: the join alone, on records that are decoded already. How large the
// dimension store gets, the native executor beside memcpy and beside the sqlite executor.
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

#include "csv/decoder.h"
#include "csv/row_format.h"
#include "feed_job.h"

enum {
    ROW_BUFFER = 8 << 20,
    SQLITE_RECORDS = 100000, // it is slow: fewer are enough
    MEMCPY_BYTES = 1 << 30
};

struct totals {
    double seconds;
    size_t n_records, n_rows, n_bytes;
};

static void decode(const struct plan *plan, const struct bench_records *records,
                   struct batch *batch)
{
    struct err err;
    struct decoder *decoder;
    const struct run run = {.records = records->records, .n = records->n};
    size_t next;
    bench_must(csv_decoder_open(&plan->stream->schema, NULL, &decoder, &err), &err);
    bench_must(decoder->ops->decode(decoder, &run, 0, batch, &next, &err), &err);
    decoder->ops->close(decoder);
}

static void shuffle(struct batch *batch)
{
    uint64_t random = 88172645463325252U; // xorshift64
    size_t n = batch->n_columns, row_bytes = n * sizeof(struct value);
    struct value *spare = mem_array(n, sizeof(struct value));
    for (size_t i = batch->n_rows; i > 1; i--) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        struct value *a = batch->values + (i - 1) * n;
        struct value *b = batch->values + (size_t)(random % i) * n;
        memcpy(spare, a, row_bytes);
        memmove(a, b, row_bytes);
        memcpy(b, spare, row_bytes);
        struct str raw = batch->raws[i - 1];
        batch->raws[i - 1] = batch->raws[random % i];
        batch->raws[random % i] = raw;
    }
    free(spare);
}

static struct totals run_once(struct executor *executor, struct batch *batch,
                              struct buf *rows)
{
    struct totals totals = {.n_records = batch->n_rows};
    struct executor_result result;
    struct err err;
    double start = bench_cpu();
    for (size_t at = 0; at < batch->n_rows;) {
        buf_clear(rows);
        bench_must(executor->ops->run(executor, batch, at, rows, &at, &result, &err),
                   &err);
        totals.n_rows += result.n_rows;
        totals.n_bytes += rows->n;
    }
    totals.seconds = bench_cpu() - start;
    return totals;
}

static struct totals run_best(struct executor *executor, struct batch *batch, int rounds)
{
    struct buf rows = BUF_INIT(ROW_BUFFER);
    struct totals best = run_once(executor, batch, &rows);
    for (int i = 1; i < rounds; i++) {
        struct totals totals = run_once(executor, batch, &rows);
        if (totals.seconds < best.seconds)
            best = totals;
    }
    buf_release(&rows);
    return best;
}

// From one row buffer to another, as large as the executor's.
static double memcpy_rate(void)
{
    char *from = mem_alloc(ROW_BUFFER), *to = mem_alloc(ROW_BUFFER);
    double best = 0;
    memset(from, 'x', ROW_BUFFER);
    memset(to, 'y', ROW_BUFFER);
    for (int round = 0; round < BENCH_ROUNDS; round++) {
        double start = bench_cpu();
        for (size_t done = 0; done < MEMCPY_BYTES; done += ROW_BUFFER) {
            memcpy(to, from, ROW_BUFFER);
            __asm__ volatile("" : : "r"(to) : "memory"); // it is not to be left out
        }
        double rate = MEMCPY_BYTES / (bench_cpu() - start);
        best = rate > best ? rate : best;
    }
    free(from);
    free(to);
    return best;
}

static double record_rate(struct totals totals)
{
    return (double)totals.n_records / totals.seconds;
}

static void report_store(const struct dimension *dimension, double seconds)
{
    const struct dimension_stats *stats = &dimension->stats;
    bench_result("store", "rows", (double)stats->n_rows, "rows");
    bench_result("store", "rows a key", dimension_fan_out(dimension), "rows");
    bench_result("store", "joined and built", (double)stats->n_rows / seconds / 1e6,
                 "M rows/s");
    bench_result("store", "memory", (double)stats->memory_bytes / 1e6, "MB");
    bench_result("store", "memory a row",
                 (double)stats->memory_bytes / (double)stats->n_rows, "bytes");
    bench_result("store", "encoded rows, were they not shared",
                 (double)stats->row_bytes / 1e6, "MB");
}

static void bench_native(struct feed_job *job, struct row_format *row_format,
                         struct batch *batch, double sqlite_rate)
{
    struct executor *executor =
        native_executor_open(job->plan, &job->dimensions, row_format);
    struct totals totals = run_best(executor, batch, BENCH_ROUNDS);
    double copied = memcpy_rate(), emitted = (double)totals.n_bytes / totals.seconds;
    bench_result("join", "native", record_rate(totals) / 1e6, "M records/s");
    bench_result("join", "native, rows", (double)totals.n_rows / totals.seconds / 1e6,
                 "M rows/s");
    bench_result("join", "native, bytes of rows", emitted / 1e9, "GB/s");
    bench_result("join", "memcpy of as many bytes", copied / 1e9, "GB/s");
    bench_result("join", "native / memcpy", emitted / copied, "x");
    bench_result("join", "native / sqlite", record_rate(totals) / sqlite_rate, "x");
    shuffle(batch);
    totals = run_best(executor, batch, BENCH_ROUNDS);
    bench_result("join", "native, records in random order", record_rate(totals) / 1e6,
                 "M records/s");
    executor->ops->close(executor);
}

static double bench_sqlite(struct feed_job *job, struct row_format *row_format,
                           struct batch *batch)
{
    struct executor *executor;
    struct err err;
    size_t n_all = batch->n_rows;
    bench_must(
        sqlite_executor_open(job->plan, job->store->host, row_format, &executor, &err),
        &err);
    batch->n_rows = n_all < SQLITE_RECORDS ? n_all : SQLITE_RECORDS;
    struct totals totals = run_best(executor, batch, 2);
    batch->n_rows = n_all;
    executor->ops->close(executor);
    bench_result("join", "sqlite", record_rate(totals) / 1e6, "M records/s");
    return record_rate(totals);
}

int main(int argc, char **argv)
{
    struct err err;
    struct feed_job job;
    struct bench_records records;
    struct batch batch;
    char path[4096];
    if (argc != 2) {
        fputs("usage: bench_join FEED\n", stderr);
        return 2;
    }
    snprintf(path, sizeof(path), "%s/stop_times.txt", argv[1]);
    bench_records_open(&records, path);
    bench_must(feed_job_open(&job, argv[1], &err), &err);
    struct row_format *row_format = csv_row_format_open(&job.plan->output);
    double start = bench_cpu();
    bench_must(feed_job_build(&job, row_format, &err), &err);
    report_store(job.dimensions.items[0], bench_cpu() - start);
    batch_init(&batch, job.plan->stream->schema.n);
    decode(job.plan, &records, &batch);
    double sqlite_rate = bench_sqlite(&job, row_format, &batch);
    bench_native(&job, row_format, &batch, sqlite_rate);
    row_format->ops->close(row_format);
    batch_release(&batch);
    bench_records_release(&records);
    feed_job_close(&job);
    return 0;
}
