// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/explain_text.h"
#include "cli/json_print.h"
#include "cli/term.h"
#include "job/check.h"
#include "job/pipeline.h"
#include "job/run_hands.h"
#include "job/stop.h"
#include "job/tables.h"

static void print_checked(UNUSED struct checked *checked, const char *what,
                          const char *name, enum status status, const char *text)
{
    bool colour = term_has_colour_out();
    printf("%s%-5s%s %-10s %s%s%s\n",
           !colour           ? ""
           : status == ST_OK ? "\033[32m"
                             : "\033[31m",
           status == ST_OK ? "ok" : "BAD", colour ? "\033[0m" : "", what, name,
           text[0] ? ": " : "", text);
}

static int64_t count_tables(const struct plan *plan)
{
    int64_t n = 0;
    for (size_t i = 0; i < plan->n_tables; i++)
        n += plan->tables[i].kind == TABLE_DIMENSION;
    return n;
}

static int64_t count_views(const struct plan *plan)
{
    int64_t n = 0;
    for (size_t i = 0; i < plan->n_views; i++)
        n += !plan->views[i].hidden;
    return n;
}

// "p.sql: good: 3 tables, 1 view; stop_times (kafka, csv) becomes result (csv), 18
// columns, by the native executor".
static void print_good(const char *path, const struct plan *plan)
{
    printf("%s: good: %s, %s", path, text_counted(count_tables(plan), "table", "tables"),
           text_counted(count_views(plan), "view", "views"));
    const struct table *from = plan->stream, *to = plan->sink;
    if (to == NULL) {
        printf("; no INSERT, so there is no result\n");
        return;
    }
    const char *why;
    printf("; %s (%s, %s) becomes %s (%s), %s, by the %s executor\n", from->name.p,
           from->options.group->name, from->format.group->name, to->name.p,
           to->format.group->name,
           text_counted((int64_t)plan->output.n, "column", "columns"),
           explain_executor(plan, &why));
}

static enum status look(struct pipeline *pipeline, struct checked *checked,
                        struct err *err)
{
    check_live(pipeline, checked);
    if (checked->n_bad == 0)
        return ST_OK;
    return err_set(err, ST_FAIL, "not ready: %s of those that the script names",
                   text_counted((int64_t)checked->n_bad, "thing", "things"));
}

static enum status tell(const struct args *args, struct pipeline *pipeline,
                        struct err *err)
{
    struct checked checked = {.tell = print_checked};
    print_good(args->positional[0], pipeline->plan);
    return args_has(args, "--live") ? look(pipeline, &checked, err) : ST_OK;
}

// As JSON.

struct checked_json {
    struct checked checked;
    struct buf out;
};

static void put_checked(struct checked *checked, const char *what, const char *name,
                        enum status status, const char *text)
{
    struct buf *out = &((struct checked_json *)checked)->out;
    json_put_open(out, NULL, '{');
    json_put_text(out, "kind", str_of(what));
    json_put_text(out, "name", str_of(name));
    json_put_bool(out, "ok", status == ST_OK);
    json_put_text(out, "text", str_of(text));
    json_put_close(out, '}');
}

static void put_table(struct buf *out, const char *name, const struct table *table,
                      int64_t n_columns)
{
    if (table == NULL) {
        json_put_null(out, name);
        return;
    }
    json_put_open(out, name, '{');
    json_put_text(out, "name", table->name);
    json_put_text(out, "connector", str_of(table->options.group->name));
    json_put_text(out, "format", str_of(table->format.group->name));
    if (n_columns > 0)
        json_put_number(out, "columns", n_columns);
    json_put_close(out, '}');
}

static void put_good(const char *path, const struct plan *plan, struct buf *out)
{
    const char *why = NULL;
    const char *executor = plan->sink != NULL ? explain_executor(plan, &why) : NULL;
    json_put_text(out, "script", str_of(path));
    json_put_number(out, "tables", count_tables(plan));
    json_put_number(out, "views", count_views(plan));
    put_table(out, "stream", plan->sink != NULL ? plan->stream : NULL, 0);
    put_table(out, "result", plan->sink, (int64_t)plan->output.n);
    json_put_text_or_null(out, "executor", str_of(executor));
    json_put_text_or_null(out, "why", str_of(why));
}

static enum status tell_json(const struct args *args, struct pipeline *pipeline,
                             struct err *err)
{
    struct checked_json json = {.checked = {.tell = put_checked}};
    enum status rc = ST_OK;
    json_put_open(&json.out, NULL, '{');
    put_good(args->positional[0], pipeline->plan, &json.out);
    if (args_has(args, "--live")) {
        json_put_open(&json.out, "live", '[');
        rc = look(pipeline, &json.checked, err);
        json_put_close(&json.out, ']');
    }
    json_put_close(&json.out, '}');
    json_print(&json.out);
    buf_release(&json.out);
    return rc;
}

static enum status run(const struct args *args, struct err *err)
{
    struct pipeline pipeline;
    TRY(args_script(args, 0, &pipeline, err));
    enum status status = stop_catch(err);
    pipeline.deadline = stop_waits();
    pipeline.is_hurried = true;
    if (status == ST_OK)
        status = tables_executor_check(pipeline.plan, err);
    if (status == ST_OK)
        status = run_hands_check(pipeline.plan, err);
    if (status == ST_OK)
        status = args_has(args, "--json") ? tell_json(args, &pipeline, err)
                                          : tell(args, &pipeline, err);
    pipeline_release(&pipeline);
    return status;
}

static const struct flag flags[] = {
    {"--live", NULL,
     "also look for all that run would refuse; reads the tables, changes nothing"},
    {"--json", NULL, "what is good, and what was looked at, as one JSON object"},
    {"--engine", "ENGINE", "sql: also that Spark SQL can run the query over the stream"},
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
