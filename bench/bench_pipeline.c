// SPDX-License-Identifier: Apache-2.0
// bench_pipeline FEED: all that happens to a record between the source and the sink:
// decode, join, encode, put into files; in process, in batches, by one thread and by two.
#include "bench.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "csv/decoder.h"
#include "csv/encoder.h"
#include "feed_job.h"

enum {
    BATCH_RECORDS = 10000,
    ROW_BUFFER = 256 << 10,
    THREADS_MAX = 2
};

enum stages {
    DECODE = 1,
    JOIN,
    FILES
};

// One thread's share.
struct worker {
    const struct feed_job *job;
    struct run run;
    enum stages stages;
    size_t n_rows;
    struct err err;
    enum status rc;
};

// What a worker needs for its records.
struct tools {
    struct decoder *decoder;
    struct encoder *encoder;
    struct executor *executor;
    struct batch batch;
    struct buf rows, file;
};

static enum status tools_open(struct tools *tools, struct worker *worker)
{
    const struct plan *plan = worker->job->plan;
    *tools = (struct tools){.rows = BUF_INIT(ROW_BUFFER)};
    TRY(csv_decoder_open(&plan->stream->schema, &tools->decoder, &worker->err));
    tools->encoder = csv_encoder_open(&plan->output, true);
    tools->executor = native_executor_open(plan, worker->job->dimension, tools->encoder);
    batch_init(&tools->batch, plan->stream->schema.n);
    return ST_OK;
}

static void tools_release(struct tools *tools)
{
    if (tools->executor != NULL)
        tools->executor->ops->close(tools->executor);
    if (tools->encoder != NULL)
        tools->encoder->ops->close(tools->encoder);
    if (tools->decoder != NULL)
        tools->decoder->ops->close(tools->decoder);
    batch_release(&tools->batch);
    buf_release(&tools->rows);
    buf_release(&tools->file);
}

static enum status work_batch(struct worker *worker, struct tools *tools,
                              const struct run *run)
{
    size_t next;
    batch_clear(&tools->batch);
    TRY(tools->decoder->ops->decode(tools->decoder, run, 0, &tools->batch, &next,
                                    &worker->err));
    for (size_t at = 0; worker->stages >= JOIN && at < tools->batch.n_rows;) {
        struct executor_result result;
        buf_clear(&tools->rows);
        TRY(tools->executor->ops->run(tools->executor, &tools->batch, at, &tools->rows,
                                      &at, &result, &worker->err));
        worker->n_rows += result.n_rows;
        if (worker->stages < FILES)
            continue;
        buf_clear(&tools->file);
        TRY(tools->encoder->ops->rows(tools->encoder, buf_as_str(&tools->rows),
                                      result.n_rows, &tools->file, &worker->err));
    }
    return ST_OK;
}

static enum status work(struct worker *worker, struct tools *tools)
{
    TRY(tools_open(tools, worker));
    TRY(tools->encoder->ops->begin(tools->encoder, &tools->file, &worker->err));
    for (size_t at = 0; at < worker->run.n; at += BATCH_RECORDS) {
        size_t left = worker->run.n - at;
        struct run run = {.records = worker->run.records + at,
                          .n = left < BATCH_RECORDS ? left : BATCH_RECORDS};
        TRY(work_batch(worker, tools, &run));
    }
    return tools->encoder->ops->end(tools->encoder, &tools->file, &worker->err);
}

static void *work_thread(void *arg)
{
    struct worker *worker = arg;
    struct tools tools;
    worker->rc = work(worker, &tools);
    tools_release(&tools);
    return NULL;
}

// Records a second of CPU time, that is a core.
static double run_once(const struct feed_job *job, const struct bench_records *records,
                       enum stages stages, size_t n_threads)
{
    struct worker workers[THREADS_MAX];
    pthread_t threads[THREADS_MAX];
    double start = bench_cpu();
    for (size_t i = 0; i < n_threads; i++) {
        size_t from = records->n * i / n_threads, to = records->n * (i + 1) / n_threads;
        workers[i] = (struct worker){
            .job = job, .stages = stages, .run = {.records = records->records + from}};
        workers[i].run.n = to - from;
        pthread_create(&threads[i], NULL, work_thread, &workers[i]);
    }
    for (size_t i = 0; i < n_threads; i++) {
        pthread_join(threads[i], NULL);
        bench_must(workers[i].rc, &workers[i].err);
    }
    return (double)records->n / (bench_cpu() - start);
}

static double run_best(const struct feed_job *job, const struct bench_records *records,
                       enum stages stages, size_t n_threads)
{
    double best = 0;
    for (int i = 0; i < BENCH_ROUNDS; i++) {
        double rate = run_once(job, records, stages, n_threads);
        best = rate > best ? rate : best;
    }
    return best;
}

static void bench_stages(const struct feed_job *job, const struct bench_records *records)
{
    double decode = run_best(job, records, DECODE, 1);
    double join = run_best(job, records, JOIN, 1);
    double one = run_best(job, records, FILES, 1);
    double two = run_best(job, records, FILES, 2);
    bench_result("pipeline", "decode", decode / 1e6, "M records/s");
    bench_result("pipeline", "decode, join", join / 1e6, "M records/s");
    bench_result("pipeline", "decode, join, files", one / 1e6, "M records/s");
    bench_result("pipeline", "the same by two threads, a core", two / 1e6, "M records/s");
    bench_result("pipeline", "a core of two / one alone", two / one, "x");
}

int main(int argc, char **argv)
{
    struct err err;
    struct feed_job job;
    struct bench_records records;
    char path[4096];
    if (argc != 2) {
        fputs("usage: bench_pipeline FEED\n", stderr);
        return 2;
    }
    snprintf(path, sizeof(path), "%s/stop_times.txt", argv[1]);
    bench_records_open(&records, path);
    bench_must(feed_job_open(&job, argv[1], &err), &err);
    struct encoder *encoder = csv_encoder_open(&job.plan->output, true);
    bench_must(feed_job_build(&job, encoder, &err), &err);
    encoder->ops->close(encoder);
    bench_stages(&job, &records);
    bench_records_release(&records);
    feed_job_close(&job);
    return 0;
}
