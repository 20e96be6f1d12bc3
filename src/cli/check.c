// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "cli/check.h"
#include "cli/commands.h"
#include "cli/explain_text.h"
#include "cli/pipeline.h"
#include "cli/stream.h"
#include "cli/tables.h"
#include "cli/term.h"
#include "kafka/admin.h"

void check_tell(struct checked *checked, const char *what, const char *name,
                enum status status, const char *text)
{
    bool colour = term_has_colour_out();
    printf("%s%-5s%s %-10s %s%s%s\n",
           !colour           ? ""
           : status == ST_OK ? "\033[32m"
                             : "\033[31m",
           status == ST_OK ? "ok" : "BAD", colour ? "\033[0m" : "", what, name,
           text[0] ? ": " : "", text);
    if (status == ST_OK)
        return;
    checked->n_bad++;
}

static void check_table(const struct pipeline *pipeline, const struct table *table,
                        struct checked *checked)
{
    struct err err = {0};
    struct storage *storage;
    enum status status = pipeline_storage(pipeline, &table->options, &storage, &err);
    if (status == ST_OK) {
        struct rows *rows;
        status = table_rows_open(storage, table, &rows, &err);
        if (status == ST_OK && !pipeline_is_avro(table))
            table_tell_absent(table, rows);
        if (status == ST_OK)
            rows->ops->close(rows);
        if (status == ST_NOT_FOUND && options_number(&table->options, "optional"))
            status = ST_OK;
        storage->ops->close(storage);
    }
    check_tell(checked, "table", table->name.p, status, status == ST_OK ? "" : err.text);
}

static void check_sink(const struct pipeline *pipeline, struct checked *checked)
{
    const struct table *sink = pipeline->plan->sink;
    struct err err = {0};
    struct storage *storage;
    enum status status = pipeline_storage(pipeline, &sink->options, &storage, &err);
    if (status == ST_OK) {
        struct file_info info;
        status = storage->ops->stat(storage, str_of(""), &info, &err);
        if (status == ST_NOT_FOUND)
            status = err_set(&err, ST_NOT_FOUND,
                             "%s is not there; make it by tramline init", storage->url);
        storage->ops->close(storage);
    }
    check_tell(checked, "result", sink->name.p, status, status == ST_OK ? "" : err.text);
}

static void check_file(const struct table *stream, struct checked *checked)
{
    struct err err = {0};
    struct source *source;
    enum status status = stream_file_open(stream, &source, &err);
    if (status == ST_OK)
        source->ops->close(source);
    check_tell(checked, "stream", stream->name.p, status,
               status == ST_OK ? "" : err.text);
}

static void check_topic(struct pipeline *pipeline, struct checked *checked)
{
    struct err err = {0};
    struct kafka_config config;
    pipeline_kafka(pipeline, &config);
    struct kafka_admin *admin;
    struct kafka_topic topic;
    enum status status = kafka_admin_open(&config, &admin, &err);
    if (status == ST_OK) {
        status = kafka_admin_describe(admin, config.topic, &topic, &err);
        kafka_admin_close(admin);
    }
    char text[64] = "";
    if (status == ST_OK)
        snprintf(text, sizeof(text), "%s, %s",
                 term_counted(topic.partitions, "partition", "partitions"),
                 term_counted(topic.replication, "copy", "copies"));
    check_tell(checked, "topic", config.topic, status, status == ST_OK ? text : err.text);
}

static enum status check_live(struct pipeline *pipeline, struct err *err)
{
    const struct plan *plan = pipeline->plan;
    struct checked checked = {0};
    for (size_t i = 0; i < plan->n_tables; i++)
        if (plan->tables[i].kind == TABLE_DIMENSION)
            check_table(pipeline, &plan->tables[i], &checked);
    if (plan->sink != NULL)
        check_sink(pipeline, &checked);
    if (plan->stream != NULL && str_is(plan->stream->connector, "file"))
        check_file(plan->stream, &checked);
    if (plan->stream != NULL && str_is(plan->stream->connector, "kafka")) {
        check_topic(pipeline, &checked);
        if (pipeline_is_avro(plan->stream))
            check_schemas(pipeline, &checked);
    }
    if (checked.n_bad)
        return err_set(err, ST_FAIL, "not ready: %s of those that the script names",
                       term_counted((int64_t)checked.n_bad, "thing", "things"));
    return ST_OK;
}

// "p.sql: good: 3 tables, 1 view; stop_times (kafka, csv) becomes result (csv), 18
// columns, by the native executor".
static void print_good(const char *path, const struct plan *plan)
{
    int64_t n_tables = 0, n_views = 0;
    for (size_t i = 0; i < plan->n_tables; i++)
        n_tables += plan->tables[i].kind == TABLE_DIMENSION;
    for (size_t i = 0; i < plan->n_views; i++)
        n_views += !plan->views[i].hidden;
    printf("%s: good: %s, %s", path, term_counted(n_tables, "table", "tables"),
           term_counted(n_views, "view", "views"));
    const struct table *from = plan->stream, *to = plan->sink;
    if (to == NULL) {
        printf("; no INSERT, so there is no result\n");
        return;
    }
    const char *why;
    printf("; %s (%s, %s) becomes %s (%s), %s, by the %s executor\n", from->name.p,
           from->connector.p, from->format.group->name, to->name.p,
           to->format.group->name,
           term_counted((int64_t)plan->output.n, "column", "columns"),
           explain_executor(plan, &why));
}

static enum status run(const struct args *args, struct err *err)
{
    struct pipeline pipeline;
    TRY(pipeline_open(args, args->positional[0], &pipeline, err));
    pipeline.stop = cli_stop_flag(NULL);
    pipeline.is_hurried = true;
    print_good(args->positional[0], pipeline.plan);
    enum status status = ST_OK;
    if (args_has(args, "--live"))
        status = check_live(&pipeline, err);
    pipeline_release(&pipeline);
    return status;
}

static const struct flag flags[] = {
    {"--live", NULL, "also look whether tables, brokers, registry and storage answer"},
};

const struct command command_check = {
    .name = "check",
    .arguments = "PIPELINE.sql",
    .about = "Say all that is wrong with a script, touching nothing",
    .flags = flags,
    .n_flags = ARRAY_LEN(flags),
    .n_arguments = 1,
    .run = run,
};
