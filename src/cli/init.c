// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/json_print.h"
#include "cli/term.h"
#include "core/env.h"
#include "job/pipeline.h"
#include "job/produce_format.h"
#include "job/slot.h"
#include "job/stop.h"
#include "log/reset.h"

// What came of one thing.
struct said {
    const char *kind, *outcome;
    const char *shown; // to people
    const char *name;  // to programs, with what follows, as far as it is there
    struct {
        const char *name;
        int64_t n;
    } numbers[3];
    const char *text;
};

static void said(const struct args *args, const struct said *said)
{
    if (!args_has(args, "--json")) {
        printf("%-10s %-12s %s\n", said->kind, said->outcome, said->shown);
        return;
    }
    AUTO(buf_release) struct buf line = {0};
    json_put_open(&line, NULL, '{');
    json_put_text(&line, "kind", str_of(said->kind));
    json_put_text(&line, "name", str_of(said->name));
    json_put_text(&line, "outcome", str_of(said->outcome));
    for (size_t i = 0; i < ARRAY_LEN(said->numbers); i++)
        if (said->numbers[i].name != NULL)
            json_put_number(&line, said->numbers[i].name, said->numbers[i].n);
    if (said->text != NULL)
        json_put_text(&line, "text", str_of(said->text));
    json_put_close(&line, '}');
    json_print(&line);
}

static void said_of(const struct args *args, const char *kind, const char *outcome,
                    const struct storage *storage)
{
    said(args, &(struct said){.kind = kind,
                              .outcome = outcome,
                              .shown = storage->url,
                              .name = storage->url});
}

static enum status make_directory(const struct args *args,
                                  const struct pipeline *pipeline,
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
        said_of(args, "directory", what, storage);
    storage->ops->close(storage);
    return status;
}

static enum status make_directories(const struct args *args,
                                    const struct pipeline *pipeline, struct err *err)
{
    const struct plan *plan = pipeline->plan;
    for (size_t i = 0; i < plan->n_tables; i++)
        if (plan->tables[i].kind != TABLE_STREAM)
            TRY(make_directory(args, pipeline, &plan->tables[i].options, err));
    for (size_t i = 0; i < plan->n_views; i++)
        if (plan->views[i].materialized)
            TRY(make_directory(args, pipeline, &plan->views[i].options, err));
    return ST_OK;
}

static enum status make_topic(const struct args *args, const struct pipeline *pipeline,
                              struct err *err)
{
    const struct options *options = &pipeline->plan->stream->options;
    const struct connector *connector = connector_of(options);
    const struct stream_request request = pipeline_stream(pipeline);
    const char *name = options_text(options, connector->place).p;
    int64_t wanted = options_number(options, "partitions");
    struct topic_shape there;
    bool is_made;
    char text[512];
    TRY(connector->admin->make(&request, &there, &is_made, err));
    bool is_other = options_given(options, "partitions") && there.partitions != wanted;
    snprintf(text, sizeof(text), "%s, %s, %s", name,
             text_counted(there.partitions, "partition", "partitions"),
             text_counted(there.replication, "copy", "copies"));
    said(args, &(struct said){
                   .kind = connector->place,
                   .outcome = is_made ? "made" : "was there",
                   .shown = text,
                   .name = name,
                   .numbers = {{"partitions", there.partitions},
                               {"replication", there.replication},
                               {is_other ? "wanted_partitions" : NULL, wanted}},
               });
    if (is_other && !args_has(args, "--json"))
        printf("           the script says %s; the topic keeps its %d\n",
               text_counted(wanted, "partition", "partitions"), there.partitions);
    return ST_OK;
}

static bool never_registers(const struct pipeline *pipeline)
{
    return options_is(&pipeline->plan->stream->format, "register", "never");
}

static void said_no_schema(const struct args *args, const char *why_not)
{
    said(args, &(struct said){.kind = "schema",
                              .outcome = "none",
                              .shown = why_not,
                              .name = "",
                              .text = why_not});
}

static enum status register_schema(const struct args *args, struct pipeline *pipeline,
                                   struct err *err)
{
    struct produce_format format;
    char text[512];
    TRY(produce_format_prepare(pipeline, &format, err));
    const char *why_not = format.why_not;
    produce_format_close(&format);
    if (why_not != NULL) {
        said_no_schema(args, why_not);
        return ST_OK;
    }
    enum status rc = produce_format_open(pipeline, &format, err);
    if (rc == ST_NOT_FOUND && never_registers(pipeline)) {
        said_no_schema(args, err->text);
        return ST_OK;
    }
    TRY(rc);
    const char *subject = arena_cstr(&pipeline->arena, format.subject);
    snprintf(text, sizeof(text), "%s, id %d, version %d", subject,
             format.encoder->schema_id, format.version);
    said(args, &(struct said){
                   .kind = "schema",
                   .outcome = format.was_there ? "was there" : "registered",
                   .shown = text,
                   .name = subject,
                   .numbers = {{"id", format.encoder->schema_id},
                               {format.version > 0 ? "version" : NULL, format.version}},
               });
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

static void tell_left(const struct args *args, const struct storage *storage,
                      const struct reset_report *report)
{
    AUTO(buf_release) struct buf text = {0};
    buf_printf(&text, "%s of others in %s, such as '%s'",
               text_counted(report->n_left, "name", "names"), storage->url, report->left);
    said(args, &(struct said){.kind = "result",
                              .outcome = "left",
                              .shown = buf_cstr(&text),
                              .name = storage->url,
                              .numbers = {{"names", report->n_left}},
                              .text = report->left});
}

static enum status remove_result(const struct args *args, const struct pipeline *pipeline,
                                 struct err *err)
{
    struct storage *storage;
    struct reset_report report;
    TRY(pipeline_storage(pipeline, &pipeline->plan->sink->options, &storage, err));
    enum status status = reset_result(storage, &report, err);
    if (status == ST_OK && report.n_removed)
        said_of(args, "result", "removed", storage);
    if (status == ST_OK && report.n_left)
        tell_left(args, storage, &report);
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
static enum status remove_unless_live(const struct args *args, struct pipeline *pipeline,
                                      struct err *err)
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
        status = remove_result(args, pipeline, err);
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
    return remove_unless_live(args, pipeline, err);
}

static enum status init(const struct args *args, struct pipeline *pipeline,
                        struct err *err)
{
    if (args_has(args, "--reset"))
        TRY(reset(args, pipeline, err));
    TRY(make_directories(args, pipeline, err));
    const struct table *stream = pipeline->plan->stream;
    if (stream == NULL || connector_of(&stream->options)->admin == NULL)
        return ST_OK;
    TRY(make_topic(args, pipeline, err));
    if (format_of(&stream->format)->schemas != NULL)
        TRY(register_schema(args, pipeline, err));
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
    {"--json", NULL, "as JSON lines, one a thing"},
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
