// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/explain_text.h"
#include "job/sink.h"

// Loads the tables and builds what the join probes.
static enum status load(const struct pipeline *pipeline, struct tables *ret,
                        struct err *err)
{
    const struct plan *plan = pipeline->plan;
    TRY(tables_load(pipeline, NULL, true, ret, err));
    if (plan->sink == NULL)
        return ST_OK;
    struct row_format *row_format = NULL;
    struct executor *executor = NULL;
    enum status status =
        sink_row_format_open(plan->sink, &plan->output, &row_format, err);
    if (status == ST_OK)
        status = tables_executor(pipeline, ret, row_format, &executor, err);
    if (executor != NULL)
        executor->ops->close(executor);
    if (row_format != NULL)
        row_format->ops->close(row_format);
    if (status != ST_OK)
        tables_release(ret);
    return status;
}

static enum status explain(const struct args *args, const struct pipeline *pipeline,
                           struct err *err)
{
    struct tables tables = {0};
    bool wanted = !args_has(args, "--no-tables");
    enum status status = wanted ? load(pipeline, &tables, err) : ST_OK;
    if (status != ST_OK && status != ST_NOT_FOUND)
        return status;
    bool at_hand = wanted && status == ST_OK;
    if (args_has(args, "--json"))
        explain_json(pipeline, at_hand ? &tables : NULL);
    else
        explain_text(pipeline, at_hand ? &tables : NULL);
    if (args_has(args, "--sql") && !args_has(args, "--json"))
        explain_sql(pipeline->plan);
    if (pipeline->plan->spark != NULL && !args_has(args, "--json"))
        explain_spark(pipeline->plan);
    if (status == ST_NOT_FOUND)
        log_warn("the tables are not at hand, so what the join gives is not known: %s",
                 err->text);
    tables_release(&tables);
    return ST_OK;
}

static enum status run(const struct args *args, struct err *err)
{
    struct pipeline pipeline;
    TRY(args_script(args, 0, &pipeline, err));
    // No stop flag: it only reads, so a signal may end it where it is.
    enum status status = explain(args, &pipeline, err);
    pipeline_release(&pipeline);
    return status;
}

static const struct flag flags[] = {
    {"--no-tables", NULL, "the plan alone; do not read the staged tables"},
    {"--sql", NULL, "also the queries as SQLite gets them"},
    {"--json", NULL, "the plan as one JSON object, with its queries"},
    {"--engine", "ENGINE", "sql: also the query over the stream as Spark SQL"},
};

const struct command command_explain = {
    .name = "explain",
    .arguments = "PIPELINE.sql",
    .about = "Show the plan, and with the tables at hand what the join will give",
    .flags = flags,
    .n_flags = ARRAY_LEN(flags),
    .n_arguments = 1,
    .run = run,
};
