// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/explain_text.h"
#include "cli/term.h"
#include "job/check.h"
#include "job/pipeline.h"
#include "job/stop.h"
#include "job/tables.h"

static void print_checked(const char *what, const char *name, enum status status,
                          const char *text)
{
    bool colour = term_has_colour_out();
    printf("%s%-5s%s %-10s %s%s%s\n",
           !colour           ? ""
           : status == ST_OK ? "\033[32m"
                             : "\033[31m",
           status == ST_OK ? "ok" : "BAD", colour ? "\033[0m" : "", what, name,
           text[0] ? ": " : "", text);
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
    printf("%s: good: %s, %s", path, text_counted(n_tables, "table", "tables"),
           text_counted(n_views, "view", "views"));
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

static enum status look(struct pipeline *pipeline, struct err *err)
{
    struct checked checked = {.tell = print_checked};
    check_live(pipeline, &checked);
    if (checked.n_bad == 0)
        return ST_OK;
    return err_set(err, ST_FAIL, "not ready: %s of those that the script names",
                   text_counted((int64_t)checked.n_bad, "thing", "things"));
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
        print_good(args->positional[0], pipeline.plan);
    if (status == ST_OK && args_has(args, "--live"))
        status = look(&pipeline, err);
    pipeline_release(&pipeline);
    return status;
}

static const struct flag flags[] = {
    {"--live", NULL,
     "also look for all that run would refuse; reads the tables, changes nothing"},
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
