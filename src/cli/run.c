// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/exit_guard.h"
#include "cli/pipeline.h"
#include "cli/plan_job.h"
#include "cli/result.h"
#include "cli/run_threads.h"
#include "cli/sink.h"
#include "cli/slot.h"
#include "cli/stop.h"
#include "cli/stream.h"
#include "cli/tables.h"
#include "cli/term.h"
#include "csv/decoder.h"
#include "storage/spool_local.h"

// All that a run opens, in the order in which it is opened.
struct run_parts {
    struct pipeline pipeline;
    struct slot slot;
    struct spool *spool;
    struct storage *storage;
    struct stream stream;
    struct encoder *encoder;
    struct tables tables;
    struct executor *executor;
    struct job job;
    struct buf schema_text;
};

// The stream first: the others wait for its partitions.
static void release(struct run_parts *parts)
{
    stream_close(&parts->stream);
    if (parts->executor != NULL)
        parts->executor->ops->close(parts->executor);
    tables_release(&parts->tables);
    if (parts->encoder != NULL)
        parts->encoder->ops->close(parts->encoder);
    if (parts->storage != NULL)
        parts->storage->ops->close(parts->storage);
    if (parts->spool != NULL)
        parts->spool->ops->close(parts->spool);
    slot_release(&parts->slot);
    buf_release(&parts->schema_text);
    pipeline_release(&parts->pipeline);
}

static enum status open_tables(struct run_parts *parts, struct err *err)
{
    const struct plan *plan = parts->pipeline.plan;
    TRY(tables_load(&parts->pipeline, NULL, false, &parts->tables, err));
    log_debug("the tables are read");
    TRY(tables_write_views(&parts->pipeline, &parts->tables, err));
    TRY(sink_encoder_open(plan->sink, &plan->output, plan->hash, &parts->encoder, err));
    TRY(tables_executor(&parts->pipeline, &parts->tables, parts->encoder,
                        &parts->executor, err));
    log_debug("the tables are ready to be joined with");
    return ST_OK;
}

static void make_job(struct run_parts *parts)
{
    const struct plan *plan = parts->pipeline.plan;
    schema_format(&plan->output, &parts->schema_text);
    parts->job.identity = plan_job_identity(&parts->pipeline, parts->stream.source);
    parts->job.plan = str_of(plan->hash);
    parts->job.schema = buf_as_str(&parts->schema_text);
    parts->job.format = result_format(plan->sink, &parts->pipeline.arena);
    parts->job.dimension = str_of(parts->tables.version);
    parts->job.worker = str_of(parts->slot.worker);
}

static enum status open_parts(const struct args *args, struct run_parts *parts,
                              struct err *err)
{
    struct pipeline *pipeline = &parts->pipeline;
    TRY(pipeline_open(args, args->positional[0], pipeline, err));
    TRY(pipeline_need_insert(pipeline, err));
    TRY(tables_executor_check(pipeline->plan, err));
    log_debug("the script is read");
    TRY(stop_catch(err));
    pipeline->deadline = stop_waits();
    const struct plan *plan = pipeline->plan;
    plan_job_settings(plan, args_has(args, "--once"), &parts->job.settings);
    const char *directory;
    TRY(pipeline_spool_path(pipeline, &directory, err));
    TRY(slot_take(directory, pipeline->job_name, &pipeline->arena, &parts->slot, err));
    TRY(spool_local_open(directory, &parts->spool, err));
    TRY(pipeline_storage(pipeline, &plan->sink->options, &parts->storage, err));
    // Exactly once needs both; so far a URL names no storage without them.
    assert(parts->storage->exclusive && parts->storage->durable);
    TRY(stream_open(pipeline, &parts->stream, err));
    log_debug("the stream is open");
    TRY(open_tables(parts, err));
    make_job(parts);
    return ST_OK;
}

static enum status run(const struct args *args, struct err *err)
{
    struct run_parts parts = {0};
    enum status status = open_parts(args, &parts, err);
    if (status == ST_OK) {
        struct run_threads_parts threads = {
            .pipeline = &parts.pipeline,
            .job = &parts.job,
            .source = parts.stream.source,
            .decoder = parts.stream.decoder,
            .executor = parts.executor,
            .encoder = parts.encoder,
            .spool = parts.spool,
            .storage = parts.storage,
            .padded = parts.stream.csv ? csv_decoder_padded(parts.stream.csv) : NULL,
            .json = args_has(args, "--json"),
        };
        status = run_threads(&threads, err);
    } else if (stop_is_why(status)) {
        log_info("stopped before the job began");
        status = ST_OK;
    }
    exit_guard_arm(&command_run, status, err);
    release(&parts);
    return status;
}

static const struct flag flags[] = {
    {"--once", NULL, "stop when all that was in the stream at the start is committed"},
    {"--json", NULL, "numbers as JSON lines on stdout"},
};

const struct command command_run = {
    .name = "run",
    .arguments = "PIPELINE.sql",
    .about = "Run the job until SIGTERM: read, enrich, save, exactly once",
    .more = "Progress is kept with the result: stop, kill or restart it at any time. "
            "Several of\nthem share the stream's partitions.",
    .flags = flags,
    .n_flags = ARRAY_LEN(flags),
    .n_arguments = 1,
    .run = run,
};
