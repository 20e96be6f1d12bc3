// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"
#include "cli/commands.h"
#include "cli/exit_guard.h"
#include "cli/term.h"
#include "job/run_threads.h"
#include "job/stop.h"

static enum status open_job(const struct args *args, struct pipeline *pipeline,
                            struct run_parts *parts, struct err *err)
{
    TRY(args_script(args, 0, pipeline, err));
    TRY(pipeline_need_insert(pipeline, err));
    TRY(tables_executor_check(pipeline->plan, err));
    log_debug("the script is read");
    TRY(stop_catch(err));
    pipeline->deadline = stop_waits();
    return run_parts_open(pipeline, args_has(args, "--once"), parts, err);
}

static enum status run(const struct args *args, struct err *err)
{
    struct pipeline pipeline = {0};
    struct run_parts parts = {0};
    bool as_json = args_has(args, "--json");
    enum status status = open_job(args, &pipeline, &parts, err);
    if (status == ST_OK) {
        struct run_shown shown = {.as_json = as_json, .often = as_json || term_is_err()};
        status = run_threads(&parts, shown, err);
    } else if (stop_is_why(status)) {
        log_info("stopped before the job began");
        status = ST_OK;
    }
    exit_guard_arm(&command_run, status, err);
    run_parts_release(&parts);
    pipeline_release(&pipeline);
    return status;
}

static const struct flag flags[] = {
    {"--once", NULL, "stop when all that was in the stream at the start is committed"},
    {"--json", NULL, "numbers as JSON lines on stdout"},
};

const struct command command_run = {
    .name = "run",
    .arguments = "PIPELINE.sql",
    .about = "Run the job until SIGTERM: read, enrich, save, exactly once",
    .more = "Progress is kept with the result: stop, kill or restart it at any time. "
            "Several of\nthem share the stream's partitions.",
    .flags = flags,
    .n_flags = ARRAY_LEN(flags),
    .n_arguments = 1,
    .run = run,
};
