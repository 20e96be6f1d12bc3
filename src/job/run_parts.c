// SPDX-License-Identifier: Apache-2.0
#include "job/run_parts.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "job/claim_beside.h"
#include "job/plan_job.h"
#include "job/result.h"
#include "job/run_status.h"
#include "job/sink.h"
#include "job/tables_views.h"
#include "storage/spool_local.h"

static enum status open_tables(struct run_parts *parts, struct err *err)
{
    const struct plan *plan = parts->pipeline->plan;
    TRY(tables_load(parts->pipeline, NULL, false, &parts->tables, err));
    log_debug("the tables are read");
    TRY(sink_writer_open(plan->sink, &plan->output, plan->hash, &parts->writer, err));
    TRY(tables_views_and_executor(parts->pipeline, &parts->tables,
                                  parts->writer->row_format, &parts->executor, err));
    log_debug("the tables are ready to be joined with");
    return ST_OK;
}

static void make_job(struct run_parts *parts)
{
    const struct plan *plan = parts->pipeline->plan;
    schema_format(&plan->output, &parts->schema_text);
    parts->job.identity = plan_job_identity(parts->pipeline, parts->stream.topic);
    parts->job.plan = str_of(plan->hash);
    parts->job.schema = buf_as_str(&parts->schema_text);
    parts->job.format = result_format(plan->sink, &parts->pipeline->arena);
    parts->job.script = plan_job_script(plan, &parts->pipeline->arena);
    parts->job.extension = format_of(&plan->sink->format)->files->extension;
    parts->job.checksum_kind = parts->storage->checksum_kind;
    parts->job.dimension = str_of(parts->tables.version);
    parts->job.worker = str_of(parts->slot.worker);
}

static void begin(struct pipeline *pipeline, bool once, struct run_parts *ret)
{
    *ret = (struct run_parts){.pipeline = pipeline,
                              .status = mem_zalloc(sizeof(*ret->status))};
    plan_job_settings(pipeline->plan, once, &ret->job.settings);
}

static enum status open_places(struct run_parts *ret, struct err *err)
{
    struct pipeline *pipeline = ret->pipeline;
    const struct plan *plan = pipeline->plan;
    const char *directory;
    TRY(pipeline_spool_path(pipeline, &directory, err));
    TRY(slot_take(directory, pipeline->job_name, pipeline->instance, &pipeline->arena,
                  &ret->slot, err));
    pipeline->member = ret->slot.member;
    TRY(spool_local_open(directory, &ret->spool, err));
    TRY(pipeline_storage(pipeline, &plan->sink->options, &ret->storage, err));
    TRY(pipeline_storage(pipeline, &plan->sink->options, &ret->uploads, err));
    // Exactly once needs both; so far a URL names no storage without them.
    assert(ret->storage->exclusive && ret->storage->durable);
    return ST_OK;
}

static enum status open_lanes(struct run_parts *ret, struct err *err)
{
    struct pipeline *pipeline = ret->pipeline;
    int n = mail_lanes(ret->job.settings.commit_ahead);
    for (int i = 0; i < n; i++)
        TRY(pipeline_storage(pipeline, &pipeline->plan->sink->options, &ret->lanes[i],
                             err));
    return ST_OK;
}

// A worker whose tables cannot be read must not take partitions from one that works: its
// claim is prepared meanwhile, and published behind.
static enum status open_tables_beside_claim(struct run_parts *parts, struct err *err)
{
    struct claim_beside beside;
    claim_beside_begin(&beside, &(struct claim_beside_parts){
                                    .pipeline = parts->pipeline,
                                    .job = &parts->job,
                                    .slot = &parts->slot,
                                    .topic = parts->stream.topic,
                                    .storage = parts->storage,
                                    .uploads = parts->uploads,
                                });
    enum status rc = open_tables(parts, err);
    claim_beside_end(&beside, rc == ST_OK, &parts->prepared);
    TRY(rc);
    parts->job.dimension = str_of(parts->tables.version);
    rc = run_hands_open(parts->pipeline, &parts->stream, &parts->tables, &parts->hands,
                        err);
    if (rc != ST_OK)
        claim_beside_drop(parts->storage, parts->prepared);
    return rc;
}

enum status run_parts_open(struct pipeline *pipeline, bool once, struct run_parts *ret,
                           struct err *err)
{
    begin(pipeline, once, ret);
    TRY(run_status_open(ret, err));
    TRY(open_places(ret, err));
    TRY(open_lanes(ret, err));
    TRY(stream_open(pipeline, &ret->stream, err));
    log_debug("the stream is open");
    make_job(ret);
    TRY(open_tables_beside_claim(ret, err));
    run_status_show(ret);
    return ST_OK;
}

enum status run_parts_open_aside(struct pipeline *pipeline, struct run_parts *ret,
                                 struct err *err)
{
    begin(pipeline, false, ret); // the job that runs has the address of status.listen
    TRY(open_places(ret, err));
    TRY(stream_open_aside(pipeline, &ret->stream, err));
    TRY(open_tables(ret, err));
    make_job(ret);
    return ST_OK;
}

enum status run_parts_open_maker(struct pipeline *pipeline, struct run_parts *ret,
                                 struct err *err)
{
    pipeline->is_alone = true;
    begin(pipeline, false, ret);
    TRY(open_places(ret, err));
    TRY(stream_open(pipeline, &ret->stream, err));
    TRY(open_tables(ret, err));
    make_job(ret);
    return ST_OK;
}

// What both parts have beside the stream.
static enum status open_part(struct run_parts *ret, const char *dimension,
                             struct err *err)
{
    const struct plan *plan = ret->pipeline->plan;
    TRY(sink_writer_open(plan->sink, &plan->output, plan->hash, &ret->writer, err));
    snprintf(ret->tables.version, sizeof(ret->tables.version), "%s", dimension);
    make_job(ret);
    return ST_OK;
}

enum status run_parts_open_reader(struct pipeline *pipeline, const char *dimension,
                                  struct run_parts *ret, struct err *err)
{
    pipeline->is_alone = true;
    begin(pipeline, false, ret);
    TRY(open_places(ret, err));
    TRY(stream_open(pipeline, &ret->stream, err));
    return open_part(ret, dimension, err);
}

enum status run_parts_open_writer(struct pipeline *pipeline, const char *dimension,
                                  struct run_parts *ret, struct err *err)
{
    begin(pipeline, false, ret);
    TRY(open_places(ret, err));
    TRY(stream_open_aside(pipeline, &ret->stream, err));
    return open_part(ret, dimension, err);
}

enum status run_parts_open_coordinator(struct pipeline *pipeline, bool once,
                                       struct run_parts *ret, struct err *err)
{
    const struct plan *plan = pipeline->plan;
    begin(pipeline, once, ret);
    TRY(run_status_open(ret, err));
    TRY(open_places(ret, err));
    TRY(stream_topic_open(pipeline, &ret->stream.topic, err));
    TRY(stream_open_teller(pipeline, &ret->teller, err));
    TRY(sink_writer_open(plan->sink, &plan->output, plan->hash, &ret->writer, err));
    TRY(tables_version(pipeline, ret->tables.version, err));
    make_job(ret);
    run_status_show(ret);
    return ST_OK;
}

static void close_storage(struct storage *storage)
{
    if (storage != NULL)
        storage->ops->close(storage);
}

// The member's first: the others wait for its partitions.
static void close_streams(struct run_parts *parts)
{
    struct stream_parts *own = &parts->stream;
    if (parts->hands.n > 0) {
        asker_close(own->asker); // their topic's, too
        own->asker = NULL;
        own->stream->ops->close(own->stream);
        own->stream = NULL;
        for (size_t i = 0; i < parts->hands.n; i++)
            stream_add_tails(own, &parts->hands.items[i].stream);
    }
    run_hands_release(&parts->hands);
    stream_close(own);
}

void run_parts_release(struct run_parts *parts)
{
    stream_close(&parts->teller);
    close_streams(parts);
    status_server_close(parts->server); // what it shows is borrowed from what follows
    if (parts->executor != NULL)
        parts->executor->ops->close(parts->executor);
    tables_release(&parts->tables);
    if (parts->writer != NULL)
        parts->writer->ops->close(parts->writer);
    for (int i = 0; i < MAIL_LANES_MAX; i++)
        close_storage(parts->lanes[i]);
    close_storage(parts->uploads);
    close_storage(parts->storage);
    if (parts->spool != NULL)
        parts->spool->ops->close(parts->spool);
    if (parts->prepared != NULL)
        prepared_claim_release(parts->prepared);
    free(parts->prepared);
    slot_release(&parts->slot);
    buf_release(&parts->schema_text);
    if (parts->status != NULL)
        board_release(&parts->status->board);
    free(parts->status);
}
