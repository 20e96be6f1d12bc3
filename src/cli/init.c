// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/term.h"
#include "core/env.h"
#include "job/pipeline.h"
#include "job/produce_format.h"
#include "job/slot.h"
#include "job/stop.h"
#include "log/reset.h"

static void said(const char *kind, const char *name, const char *what)
{
    printf("%-10s %-12s %s\n", kind, what, name);
}

static enum status make_directory(const struct pipeline *pipeline,
                                  const struct options *options, struct err *err)
{
    struct storage *storage;
    TRY(pipeline_storage(pipeline, options, &storage, err));
    struct file_info info;
    enum status status = storage->ops->stat(storage, str_of(""), &info, err);
    const char *what = "was there";
    if (status == ST_OK && !info.is_directory) {
        status = err_set(err, ST_FAIL,
                         "%s is a file, not a directory; remove it or give "
                         "another path",
                         storage->url);
    } else if (status == ST_NOT_FOUND) {
        what = "made";
        status = storage->ops->mkdir(storage, str_of(""), err);
    }
    if (status == ST_OK)
        said("directory", storage->url, what);
    storage->ops->close(storage);
    return status;
}

static enum status make_directories(const struct pipeline *pipeline, struct err *err)
{
    const struct plan *plan = pipeline->plan;
    for (size_t i = 0; i < plan->n_tables; i++)
        if (plan->tables[i].kind != TABLE_STREAM)
            TRY(make_directory(pipeline, &plan->tables[i].options, err));
    for (size_t i = 0; i < plan->n_views; i++)
        if (plan->views[i].materialized)
            TRY(make_directory(pipeline, &plan->views[i].options, err));
    return ST_OK;
}

static enum status make_topic(const struct pipeline *pipeline, struct err *err)
{
    const struct options *options = &pipeline->plan->stream->options;
    const struct connector *connector = connector_of(options);
    const struct stream_request request = pipeline_stream(pipeline);
    int64_t wanted = options_number(options, "partitions");
    struct topic_shape there;
    bool is_made;
    char text[512];
    TRY(connector->admin->make(&request, &there, &is_made, err));
    snprintf(text, sizeof(text), "%s, %s, %s", options_text(options, connector->place).p,
             text_counted(there.partitions, "partition", "partitions"),
             text_counted(there.replication, "copy", "copies"));
    said(connector->place, text, is_made ? "made" : "was there");
    if (options_given(options, "partitions") && there.partitions != wanted)
        printf("           the script says %s; the topic keeps its %d\n",
               text_counted(wanted, "partition", "partitions"), there.partitions);
    return ST_OK;
}

static bool never_registers(const struct pipeline *pipeline)
{
    return options_is(&pipeline->plan->stream->format, "register", "never");
}

static enum status register_schema(struct pipeline *pipeline, struct err *err)
{
    struct produce_format format;
    char text[512];
    TRY(produce_format_prepare(pipeline, &format, err));
    const char *why_not = format.why_not;
    produce_format_close(&format);
    if (why_not != NULL) {
        said("schema", why_not, "none");
        return ST_OK;
    }
    enum status rc = produce_format_open(pipeline, &format, err);
    if (rc == ST_NOT_FOUND && never_registers(pipeline)) {
        said("schema", err->text, "none");
        return ST_OK;
    }
    TRY(rc);
    snprintf(text, sizeof(text), "%.*s, id %d, version %d", STR_ARGS(format.subject),
             format.encoder->schema_id, format.version);
    said("schema", text, format.was_there ? "was there" : "registered");
    produce_format_close(&format);
    return ST_OK;
}

static enum status confirm(struct str result, struct err *err)
{
    if (!isatty(STDIN_FILENO))
        return err_set(err, ST_STOP,
                       "--reset removes the result and its log in %.*s; confirm it by "
                       "--yes where there is no terminal",
                       STR_ARGS(result));
    fprintf(stderr,
            "--reset removes the result and its log in %.*s.\nType yes to go on: ",
            STR_ARGS(result));
    char answer[16];
    if (fgets(answer, sizeof(answer), stdin) != NULL && strcmp(answer, "yes\n") == 0)
        return ST_OK;
    return err_set(err, ST_STOP, "not confirmed; nothing was removed");
}

static void tell_left(const struct storage *storage, const struct reset_report *report)
{
    AUTO(buf_release) struct buf text = {0};
    buf_printf(&text, "%s of others in %s, such as '%s'",
               text_counted(report->n_left, "name", "names"), storage->url, report->left);
    said("result", buf_cstr(&text), "left");
}

static enum status remove_result(const struct pipeline *pipeline, struct err *err)
{
    struct storage *storage;
    struct reset_report report;
    TRY(pipeline_storage(pipeline, &pipeline->plan->sink->options, &storage, err));
    enum status status = reset_result(storage, &report, err);
    if (status == ST_OK && report.n_removed)
        said("result", storage->url, "removed");
    if (status == ST_OK && report.n_left)
        tell_left(storage, &report);
    storage->ops->close(storage);
    return status;
}

static enum status refuse_members(const struct pipeline *pipeline, struct err *err)
{
    const struct connector_admin *admin =
        connector_of(&pipeline->plan->stream->options)->admin;
    if (admin == NULL)
        return ST_OK;
    const struct stream_request request = pipeline_stream(pipeline);
    AUTO(buf_release) struct buf names = {0};
    size_t n = 0;
    enum status status = admin->members(&request, &n, &names, err);
    if (status == ST_OK && n > 0)
        status = err_set(err, ST_FAIL,
                         "group %s is in use by %s; stop them before --reset (one that "
                         "was killed counts until its session.timeout is over): %.*s",
                         pipeline->group, text_counted((int64_t)n, "worker", "workers"),
                         STR_ARGS(buf_as_str(&names)));
    return status == ST_NOT_FOUND ? ST_OK : status;
}

// While it removes, no worker can begin on this machine. One that begins on another finds
// at its first entry that the log it read is gone, and reads it again.
static enum status remove_unless_live(struct pipeline *pipeline, struct err *err)
{
    const char *directory;
    struct slots slots;
    TRY(pipeline_spool_path(pipeline, &directory, err));
    if (!slots_hold(directory, &slots))
        return err_set(err, ST_FAIL,
                       "job %s is running on this machine; stop it before "
                       "--reset",
                       pipeline->job_name);
    enum status status = refuse_members(pipeline, err);
    if (status == ST_OK)
        status = remove_result(pipeline, err);
    slots_release(&slots, directory);
    return status;
}

static enum status reset(const struct args *args, struct pipeline *pipeline,
                         struct err *err)
{
    TRY(pipeline_need_insert(pipeline, err));
    struct str result = options_text(&pipeline->plan->sink->options, "path");
    if (!args_has(args, "--yes"))
        TRY(confirm(result, err));
    return remove_unless_live(pipeline, err);
}

static enum status init(const struct args *args, struct pipeline *pipeline,
                        struct err *err)
{
    if (args_has(args, "--reset"))
        TRY(reset(args, pipeline, err));
    TRY(make_directories(pipeline, err));
    const struct table *stream = pipeline->plan->stream;
    if (stream == NULL || connector_of(&stream->options)->admin == NULL)
        return ST_OK;
    TRY(make_topic(pipeline, err));
    if (format_of(&stream->format)->schemas != NULL)
        TRY(register_schema(pipeline, err));
    return ST_OK;
}

static enum status run(const struct args *args, struct err *err)
{
    struct pipeline pipeline;
    TRY(args_script(args, 0, &pipeline, err));
    enum status status = stop_catch(err);
    pipeline.deadline = stop_waits();
    if (status == ST_OK)
        status = init(args, &pipeline, err);
    pipeline_release(&pipeline);
    return status;
}

static const struct flag flags[] = {
    {"--reset", NULL, "start over: remove the job's result and log first; asks"},
    {"--yes", NULL, "with --reset: do not ask"},
};

const struct command command_init = {
    .name = "init",
    .arguments = "PIPELINE.sql",
    .about = "Make the directories and the topic that a script names",
    .more = "Says what it made and what was there. Safe to repeat.",
    .flags = flags,
    .n_flags = ARRAY_LEN(flags),
    .n_arguments = 1,
    .run = run,
};
