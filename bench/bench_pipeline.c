// SPDX-License-Identifier: Apache-2.0
// bench_pipeline FEED: all that happens to a record between the source and the sink:
// decode, join, encode, put into files; in process, in batches, by one thread and by two.
#include "bench.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "avro/file_writer.h"
#include "csv/decoder.h"
#include "csv/file_writer.h"
#include "feed_job.h"
#include "memory/output_mem.h"

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

// Of the files.
struct file_kind {
    const char *name;
    bool is_avro;
    enum avro_codec codec;
};

static const struct file_kind kinds[] = {
    {"csv", false, 0},
    {"avro, not compressed", true, AVRO_CODEC_NULL},
    {"avro, snappy", true, AVRO_CODEC_SNAPPY},
    {"avro, zstandard", true, AVRO_CODEC_ZSTANDARD},
    {"avro, deflate", true, AVRO_CODEC_DEFLATE},
};

static enum status open_writer(const struct file_kind *kind, const struct schema *schema,
                               struct file_writer **ret, struct err *err)
{
    const struct avro_file_options options = {
        .schema = {.name = STR_LITERAL("enriched_stop_time")}, .codec = kind->codec};
    if (kind->is_avro)
        return avro_file_writer_open(schema, &options, ret, err);
    *ret = csv_file_writer_open(schema, true);
    return ST_OK;
}

// One thread's share.
struct worker {
    const struct feed_job *job;
    const struct file_kind *kind;
    struct run run;
    enum stages stages;
    size_t n_rows;
    struct err err;
    enum status rc;
};

// What a worker needs for its records.
struct tools {
    struct decoder *decoder;
    struct file_writer *writer;
    struct executor *executor;
    struct batch batch;
    struct buf rows;
    struct memory_output to;
};

static enum status tools_open(struct tools *tools, struct worker *worker)
{
    const struct plan *plan = worker->job->plan;
    *tools = (struct tools){.rows = BUF_INIT(ROW_BUFFER)};
    TRY(csv_decoder_open(&plan->stream->schema, NULL, &tools->decoder, &worker->err));
    TRY(open_writer(worker->kind, &plan->output, &tools->writer, &worker->err));
    tools->executor =
        native_executor_open(plan, &worker->job->dimensions, tools->writer->row_format);
    batch_init(&tools->batch, plan->stream->schema.n);
    return ST_OK;
}

static void tools_release(struct tools *tools)
{
    if (tools->executor != NULL)
        tools->executor->ops->close(tools->executor);
    if (tools->writer != NULL)
        tools->writer->ops->close(tools->writer);
    if (tools->decoder != NULL)
        tools->decoder->ops->close(tools->decoder);
    batch_release(&tools->batch);
    buf_release(&tools->rows);
    memory_output_release(&tools->to);
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
        buf_clear(&tools->to.file);
        TRY(tools->writer->ops->rows(tools->writer, buf_as_str(&tools->rows),
                                     result.n_rows, &worker->err));
    }
    return ST_OK;
}

static enum status work(struct worker *worker, struct tools *tools)
{
    TRY(tools_open(tools, worker));
    memory_output_begin(&tools->to);
    TRY(tools->writer->ops->begin(tools->writer, &tools->to.output, 0, &worker->err));
    for (size_t at = 0; at < worker->run.n; at += BATCH_RECORDS) {
        size_t left = worker->run.n - at;
        struct run run = {.records = worker->run.records + at,
                          .n = left < BATCH_RECORDS ? left : BATCH_RECORDS};
        TRY(work_batch(worker, tools, &run));
    }
    return tools->writer->ops->finish(tools->writer, (struct str){0}, &worker->err);
}

static void *work_thread(void *arg)
{
    struct worker *worker = arg;
    struct tools tools;
    worker->rc = work(worker, &tools);
    tools_release(&tools);
    return NULL;
}

// What is measured.
struct task {
    const struct feed_job *job;
    const struct bench_records *records;
    const struct file_kind *kind;
    enum stages stages;
    size_t n_threads;
};

// Records a second of CPU time, that is a core.
static double run_once(const struct task *task)
{
    struct worker workers[THREADS_MAX];
    pthread_t threads[THREADS_MAX];
    const struct bench_records *records = task->records;
    double start = bench_cpu();
    for (size_t i = 0; i < task->n_threads; i++) {
        size_t from = records->n * i / task->n_threads;
        size_t to = records->n * (i + 1) / task->n_threads;
        workers[i] =
            (struct worker){.job = task->job, .kind = task->kind, .stages = task->stages};
        workers[i].run = (struct run){.records = records->records + from, .n = to - from};
        pthread_create(&threads[i], NULL, work_thread, &workers[i]);
    }
    for (size_t i = 0; i < task->n_threads; i++) {
        pthread_join(threads[i], NULL);
        bench_must(workers[i].rc, &workers[i].err);
    }
    return (double)records->n / (bench_cpu() - start);
}

static double run_best(const struct task *task)
{
    double best = 0;
    for (int i = 0; i < BENCH_ROUNDS; i++) {
        double rate = run_once(task);
        best = rate > best ? rate : best;
    }
    return best;
}

static void bench_stages(struct task task)
{
    task.stages = DECODE;
    bench_result("pipeline", "decode", run_best(&task) / 1e6, "M records/s");
    task.stages = JOIN;
    bench_result("pipeline", "decode, join", run_best(&task) / 1e6, "M records/s");
    task.stages = FILES;
    double one = run_best(&task);
    task.n_threads = 2;
    double two = run_best(&task);
    bench_result("pipeline", "decode, join, files: csv", one / 1e6, "M records/s");
    bench_result("pipeline", "the same by two threads, a core", two / 1e6, "M records/s");
    bench_result("pipeline", "a core of two / one alone", two / one, "x");
}

static void bench_kind(struct feed_job *job, const struct bench_records *records,
                       const struct file_kind *kind)
{
    struct err err;
    struct file_writer *writer;
    char name[64];
    const struct task task = {job, records, kind, FILES, 1};
    bench_must(open_writer(kind, &job->plan->output, &writer, &err), &err);
    bench_must(feed_job_build(job, writer->row_format, &err), &err);
    writer->ops->close(writer);
    if (kind->is_avro) {
        snprintf(name, sizeof(name), "decode, join, files: %s", kind->name);
        bench_result("pipeline", name, run_best(&task) / 1e6, "M records/s");
    } else {
        bench_stages(task);
    }
    dimensions_release(&job->dimensions);
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
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        bench_kind(&job, &records, &kinds[i]);
    bench_records_release(&records);
    feed_job_close(&job);
    return 0;
}
