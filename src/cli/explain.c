// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "cli/commands.h"
#include "cli/pipeline.h"
#include "cli/sink.h"
#include "cli/tables.h"
#include "cli/term.h"

static const char *kind_name(enum table_kind kind)
{
    return kind == TABLE_DIMENSION ? "table" : kind == TABLE_STREAM ? "stream" : "result";
}

static void print_relations(const struct plan *plan)
{
    for (size_t i = 0; i < plan->n_tables; i++) {
        const struct table *table = &plan->tables[i];
        const char *place =
            options_text(&table->options,
                         str_is(table->connector, "kafka") ? "topic" : "path")
                .p;
        printf("%-7s %.*s  (%.*s, %s, %s)\n", kind_name(table->kind),
               STR_ARGS(table->name), STR_ARGS(table->connector),
               table->format.group->name, place);
    }
    for (size_t i = 0; i < plan->n_views; i++)
        if (!plan->views[i].hidden)
            printf("view    %.*s%s\n  %.*s\n", STR_ARGS(plan->views[i].name),
                   plan->views[i].materialized ? "  (materialized)" : "",
                   STR_ARGS(plan->views[i].sql));
}

static void print_insert(const struct plan *plan)
{
    printf("insert  into %.*s\n  %.*s\n", STR_ARGS(plan->sink->name),
           STR_ARGS(plan->insert_sql));
    printf("columns\n");
    for (size_t i = 0; i < plan->output.n; i++) {
        const struct column *column = &plan->output.columns[i];
        printf("  %-28.*s %s%s\n", STR_ARGS(column->name), type_name(column->type),
               column->nullable ? "" : " NOT NULL");
    }
    bool native =
        plan->native != NULL && !options_is(&plan->settings, "executor", "sqlite");
    if (native)
        printf("executor native: one %s of the stream with what was joined beforehand\n",
               !plan->native->has_join ? "pass, no join,"
               : plan->native->left    ? "left hash join"
                                       : "hash join");
    else
        printf("executor sqlite: %s\n",
               plan->native_why.n ? plan->native_why.p : "SET executor = 'sqlite'");
    printf("plan    %s\n", plan->hash);
}

static enum status print_tables(const struct pipeline *pipeline, struct err *err)
{
    const struct plan *plan = pipeline->plan;
    struct tables tables;
    TRY(tables_load(pipeline, true, &tables, err));
    printf("tables  %s rows at hand\n", term_count(tables.n_rows));
    struct encoder *encoder = NULL;
    struct executor *executor = NULL;
    enum status status = sink_encoder_open(plan->sink, &plan->output, "", &encoder, err);
    if (status == ST_OK)
        status = tables_executor(pipeline, &tables, encoder, &executor, err);
    if (status == ST_OK && tables.dimension != NULL) {
        AUTO(buf_release) struct buf text = {0};
        dimension_describe(tables.dimension, &text);
        const struct dimension_stats *stats = &tables.dimension->stats;
        printf("join    %.*s\n        keys are %s; fan-out %.1f expected, %zu at worst "
               "(key %.*s); %.0f bytes a row\n",
               STR_ARGS(buf_as_str(&text)),
               stats->max_matches <= 1 ? "unique" : "not unique",
               dimension_fan_out(tables.dimension), stats->max_matches,
               STR_ARGS(stats->max_key),
               stats->n_rows ? (double)stats->row_bytes / (double)stats->n_rows : 0.0);
    }
    if (executor != NULL)
        executor->ops->close(executor);
    if (encoder != NULL)
        encoder->ops->close(encoder);
    tables_release(&tables);
    return status;
}

static enum status explain(const struct args *args, const struct pipeline *pipeline,
                           struct err *err)
{
    print_relations(pipeline->plan);
    if (pipeline->plan->sink == NULL)
        return ST_OK;
    print_insert(pipeline->plan);
    if (args_has(args, "--no-tables"))
        return ST_OK;
    enum status status = print_tables(pipeline, err);
    if (status != ST_NOT_FOUND)
        return status;
    printf("tables  not at hand: %s\n", err->text);
    return ST_OK;
}

static enum status run(const struct args *args, struct err *err)
{
    struct pipeline pipeline;
    TRY(pipeline_open(args, args->positional[0], &pipeline, err));
    pipeline.stop = cli_stop_flag(NULL);
    enum status status = explain(args, &pipeline, err);
    pipeline_release(&pipeline);
    return status;
}

static const struct flag flags[] = {
    {"--no-tables", NULL, "the plan alone; do not read the staged tables"},
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
