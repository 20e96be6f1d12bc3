// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"
#include "cli/commands.h"
#include "cli/exit_guard.h"
#include "cli/term.h"
#include "job/parent.h"
#include "job/run_threads.h"
#include "job/stop.h"
#include "job/tokens.h"

enum {
    INSTANCE_MAX = 64,
    MEMBERS_MAX = 10000
};

static enum status take_instance(const struct args *args, struct pipeline *pipeline,
                                 struct err *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789._-/";
    const char *name = args_text(args, "--instance", NULL);
    if (name == NULL)
        return ST_OK;
    size_t n = strlen(name);
    if (n == 0 || n > INSTANCE_MAX || strspn(name, allowed) < n)
        return err_set(err, ST_USAGE,
                       "--instance takes 1 to %d of the characters a-z, A-Z, 0-9, '.', "
                       "'_', '-' and '/', not '%s'",
                       INSTANCE_MAX, name);
    pipeline->instance = name;
    return ST_OK;
}

static enum status take_members(const struct args *args, struct pipeline *pipeline,
                                struct err *err)
{
    int64_t members;
    TRY(args_number(args, "--members", 1, 1, &members, err));
    if (members > MEMBERS_MAX)
        return err_set(err, ST_USAGE, "--members takes at most %d, not %lld", MEMBERS_MAX,
                       (long long)members);
    if (members > 1 && !pipeline_is_shared(pipeline))
        return err_set(err, ST_USAGE,
                       "--members %lld: this job's stream is read by one worker alone; "
                       "several share a Kafka topic with membership = 'group'",
                       (long long)members);
    pipeline->members = (int32_t)members;
    return ST_OK;
}

static enum status open_job(const struct args *args, struct pipeline *pipeline,
                            struct run_parts *parts, struct err *err)
{
    TRY(args_script(args, 0, pipeline, err));
    TRY(pipeline_need_insert(pipeline, err));
    TRY(take_instance(args, pipeline, err));
    TRY(take_members(args, pipeline, err));
    TRY(tables_executor_check(pipeline->plan, err));
    TRY(run_hands_check(pipeline->plan, err));
    log_debug("the script is read");
    TRY(stop_catch(err));
    pipeline->deadline = stop_waits();
    if (args_has(args, "--token-line"))
        TRY(tokens_take_line(pipeline, err));
    return run_parts_open(pipeline, args_has(args, "--once"), parts, err);
}

static enum status run(const struct args *args, struct err *err)
{
    struct pipeline pipeline = {0};
    struct run_parts parts = {0};
    struct parent_watch parent = {0};
    bool as_json = args_has(args, "--json");
    if (args_has(args, "--with-parent"))
        parent_watch_open(&parent);
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
    parent_watch_close(&parent);
    pipeline_release(&pipeline);
    return status;
}

static const struct flag flags[] = {
    {"--once", NULL, "stop when all that was in the stream at the start is committed"},
    {"--json", NULL, "numbers as JSON lines on stdout"},
    {"--exit-line", NULL, "its end as a JSON line on stdout; the exit code is 0 then"},
    {"--instance", "NAME",
     "this worker's name in log, history and group, after its host"},
    {"--members", "N", "begin together: wait up to 10 s until N workers are there"},
    {"--with-parent", NULL, "end, as by SIGTERM, with the process that started this one"},
    {"--token-line", NULL,
     "the first line of standard input is delegation tokens (tramline token)"},
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
