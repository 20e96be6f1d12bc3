// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "gtfs/manifest.h"
#include "job/check.h"
#include "job/plan_job.h"
#include "job/sink.h"
#include "job/slot.h"
#include "job/stream.h"
#include "job/tables_views.h"
#include "status/listen.h"
#include "storage/spool_local.h"
#include "work/job_check.h"

void check_tell(struct checked *checked, const char *what, const char *name,
                enum status status, const char *text)
{
    checked->tell(checked, what, name, status, text);
    checked->n_bad += status != ST_OK;
}

struct live {
    struct pipeline *pipeline;
    struct checked *checked;
    struct tables tables;
    struct topic *topic;     // NULL: it could not be opened
    struct storage *storage; // of the result
    struct log_state state;
};

static void tell(const struct live *live, const char *what, struct str name,
                 enum status status, const struct err *err, const char *text)
{
    check_tell(live->checked, what, name.p, status, status == ST_OK ? text : err->text);
}

static void tell_count(const struct live *live, const char *what, struct str name,
                       enum status status, const struct err *err, int64_t n)
{
    tell(live, what, name, status, err,
         status == ST_OK ? text_counted(n, "row", "rows") : "");
}

// Tables, views, the join.

// Whether all are good.
static bool load_tables(struct live *live)
{
    const struct plan *plan = live->pipeline->plan;
    bool good = true;
    for (size_t i = 0; i < plan->n_tables; i++) {
        struct err err = {0};
        if (plan->tables[i].kind != TABLE_DIMENSION)
            continue;
        enum status rc = tables_load_one(live->pipeline, &live->tables, i, &err);
        tell_count(live, "table", plan->tables[i].name, rc, &err, live->tables.n_rows[i]);
        good &= rc == ST_OK;
    }
    return good;
}

static bool try_views(struct live *live)
{
    const struct plan *plan = live->pipeline->plan;
    bool good = true;
    for (size_t i = 0; i < plan->n_views; i++) {
        const struct view *view = &plan->views[i];
        struct err err = {0};
        int64_t n = 0;
        if (!view->materialized)
            continue;
        enum status rc = tables_try_view(&live->tables, view, &n, &err);
        tell_count(live, "view", view->name, rc, &err, n);
        good &= rc == ST_OK;
    }
    return good;
}

static enum status try_join(struct live *live, struct err *err)
{
    const struct plan *plan = live->pipeline->plan;
    struct row_format *row_format;
    struct executor *executor = NULL;
    TRY(sink_row_format_open(plan->sink, &plan->output, &row_format, err));
    enum status rc =
        tables_executor(live->pipeline, &live->tables, row_format, &executor, err);
    if (executor != NULL)
        executor->ops->close(executor);
    row_format->ops->close(row_format);
    return rc;
}

static enum status read_manifest(const struct live *live, struct err *err)
{
    struct storage *root;
    struct feed_manifest manifest = {0};
    TRY(pipeline_feed_root(live->pipeline, &root, err));
    if (root == NULL)
        return ST_OK;
    enum status rc = feed_manifest_read(root, &manifest, err);
    feed_manifest_release(&manifest);
    root->ops->close(root);
    return rc == ST_NOT_FOUND ? ST_OK : rc;
}

// What extract left beside the tables.
static void check_feed(const struct live *live)
{
    struct err err = {0};
    enum status rc = tables_wait_for_extract(live->pipeline, &err);
    if (rc == ST_OK)
        rc = read_manifest(live, &err);
    if (rc != ST_OK)
        tell(live, "feed", STR_LITERAL("of the tables"), rc, &err, "");
}

static enum status try_query(struct live *live, struct err *err)
{
    TRY(tables_load_views(&live->tables, err));
    return try_views(live) && live->pipeline->plan->sink != NULL ? try_join(live, err)
                                                                 : ST_OK;
}

static void check_tables(struct live *live)
{
    struct err err = {0};
    enum status rc = ST_OK;
    tables_begin(live->pipeline, NULL, &live->tables);
    check_feed(live);
    if (rc == ST_OK && !load_tables(live))
        return; // what reads them cannot be tried
    if (rc == ST_OK)
        rc = try_query(live, &err);
    const struct table *sink = live->pipeline->plan->sink;
    if (rc != ST_OK)
        tell(live, "query", sink ? sink->name : STR_LITERAL("views"), rc, &err, "");
}

// The stream.

static void describe_topic(struct live *live, const struct connector_admin *admin,
                           char *text, size_t size)
{
    const struct stream_request request = pipeline_stream(live->pipeline);
    struct topic_shape shape;
    if (admin->describe(&request, &shape, NULL) == ST_OK)
        snprintf(text, size, "%s, %s",
                 text_counted(shape.partitions, "partition", "partitions"),
                 text_counted(shape.replication, "copy", "copies"));
}

static void check_stream(struct live *live)
{
    struct err err = {0};
    const struct table *stream = live->pipeline->plan->stream;
    const struct connector *connector = connector_of(&stream->options);
    char text[80] = "";
    enum status rc = stream_topic_open(live->pipeline, &live->topic, &err);
    if (rc == ST_OK && connector->admin != NULL)
        describe_topic(live, connector->admin, text, sizeof(text));
    if (connector->admin != NULL)
        tell(live, connector->place, options_text(&stream->options, connector->place), rc,
             &err, text);
    else
        tell(live, "stream", stream->name, rc, &err, text);
}

// The result and its log.

static enum status check_directory(struct live *live, char *text, size_t size,
                                   struct err *err)
{
    struct file_info info;
    const struct options *options = &live->pipeline->plan->sink->options;
    TRY(pipeline_storage(live->pipeline, options, &live->storage, err));
    TRY(job_check_log(live->storage, &live->state, err));
    struct storage *storage = live->storage;
    enum status rc = storage->ops->stat(storage, str_of(""), &info, err);
    if (rc == ST_NOT_FOUND)
        snprintf(text, size, "not there yet; run makes it");
    else if (rc == ST_OK && live->state.next > 0)
        snprintf(text, size, "entry %lld of its log comes next",
                 (long long)live->state.next);
    return rc == ST_NOT_FOUND ? ST_OK : rc;
}

static enum status check_log(struct live *live, struct err *err)
{
    const struct job_identity identity = plan_job_identity(live->pipeline, live->topic);
    const struct job job = plan_job(live->pipeline, &identity, &live->pipeline->arena);
    TRY(log_state_check_job(&live->state, &job, live->storage->url, err));
    for (size_t i = 0; i < live->state.n_partitions; i++)
        TRY(job_check_partition(&live->state, &live->state.partitions[i], &job,
                                live->topic, err));
    return ST_OK;
}

static void check_result(struct live *live)
{
    struct err err = {0};
    char text[80] = "";
    enum status rc = check_directory(live, text, sizeof(text), &err);
    if (rc == ST_OK && live->topic != NULL)
        rc = check_log(live, &err);
    tell(live, "result", live->pipeline->plan->sink->name, rc, &err, text);
}

static enum status try_spool(const struct live *live, struct err *err)
{
    const char *directory;
    struct spool *spool;
    TRY(pipeline_spool_check(live->pipeline, &directory, err));
    TRY(slot_check(directory, live->pipeline->job_name, err));
    if (access(directory, F_OK) != 0)
        return ST_OK; // run makes it
    TRY(spool_local_open(directory, &spool, err));
    spool->ops->close(spool);
    return ST_OK;
}

static void check_spool(const struct live *live)
{
    struct err err = {0};
    enum status rc = try_spool(live, &err);
    if (rc != ST_OK)
        tell(live, "spool", str_of(live->pipeline->job_name), rc, &err, "");
}

// Whether the status server can be had. A run of this job that has it is as good a reason
// as another program: this one could not begin beside it.
static void check_status(struct live *live)
{
    const struct options *set = &live->pipeline->plan->settings;
    struct str address = options_text(set, "status.listen");
    char url[LISTEN_TEXT] = "";
    struct err err = {0};
    int fd;
    if (!options_given(set, "status.listen"))
        return;
    enum status rc = listen_open(address, &fd, url, &err);
    if (rc == ST_OK)
        close(fd);
    tell(live, "status", address, rc, &err, url);
}

void check_live(struct pipeline *pipeline, struct checked *checked)
{
    const struct plan *plan = pipeline->plan;
    struct live live = {.pipeline = pipeline, .checked = checked};
    check_tables(&live);
    if (plan->stream != NULL)
        check_stream(&live);
    if (plan->sink != NULL) {
        check_result(&live);
        check_spool(&live);
        check_status(&live);
    }
    if (plan->stream != NULL && format_of(&plan->stream->format)->schemas != NULL)
        check_schemas(pipeline, live.topic, checked);
    tables_release(&live.tables);
    log_state_release(&live.state);
    if (live.topic != NULL)
        live.topic->ops->close(live.topic);
    if (live.storage != NULL)
        live.storage->ops->close(live.storage);
}
