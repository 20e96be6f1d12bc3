// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/error_code.h"
#include "cli/exit_guard.h"
#include "job/parent.h"
#include "job/stop.h"
#include "job/tokens.h"
#include "job/units.h"

static struct str code_of(struct str text, char room[16])
{
    struct error_code code;
    room[0] = '\0';
    if (error_code_find(text, &code))
        snprintf(room, 16, "%s", code.code);
    return str_of(room);
}

static enum status open_parts(const struct args *args, struct pipeline *pipeline,
                              struct run_parts *parts, struct err *err)
{
    TRY(args_script(args, 0, pipeline, err));
    TRY(pipeline_need_insert(pipeline, err));
    TRY(tables_executor_check(pipeline->plan, err));
    TRY(stop_catch(err));
    pipeline->deadline = stop_waits();
    if (args_has(args, "--token-line"))
        TRY(tokens_take_line(pipeline, err));
    return run_parts_open_maker(pipeline, parts, err);
}

static enum status run(const struct args *args, struct err *err)
{
    struct pipeline pipeline = {0};
    struct run_parts parts = {0};
    struct parent_watch parent = {0};
    if (args_has(args, "--with-parent"))
        parent_watch_open(&parent);
    enum status status = open_parts(args, &pipeline, &parts, err);
    if (status == ST_OK)
        status = units_work(&parts, code_of, err);
    if (stop_is_why(status)) {
        log_info("stopped before an order was made");
        status = ST_OK;
    }
    exit_guard_arm(&command_work, status, err);
    run_parts_release(&parts);
    parent_watch_close(&parent);
    pipeline_release(&pipeline);
    return status;
}

static const struct flag flags[] = {
    {"--exit-line", NULL, "its end as a JSON line on stdout; the exit code is 0 then"},
    {"--with-parent", NULL, "end, as by SIGTERM, with the process that started this one"},
    {"--token-line", NULL,
     "the first line of standard input is delegation tokens (tramline token)"},
    {"--json", NULL, "errors as JSON lines; the others are that anyhow"},
};

const struct command command_work = {
    .name = "work",
    .arguments = "PIPELINE.sql",
    .about = "Make units to order, which tramline coordinate commits elsewhere",
    .more = "Reads orders from standard input, a JSON line each, and answers each on "
            "standard output\nby a line: the unit, whose files it has uploaded, or an "
            "error. Ends with its input. Kill it\nat any time: an order without an "
            "answer is given out again.",
    .flags = flags,
    .n_flags = ARRAY_LEN(flags),
    .n_arguments = 1,
    .run = run,
};
