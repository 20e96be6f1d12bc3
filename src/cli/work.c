// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/error_code.h"
#include "cli/exit_guard.h"
#include "job/parent.h"
#include "job/relations.h"
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

// Of a unit that is made in parts, with an engine elsewhere between.
struct work_part {
    const char *name; // NULL: whole units
    const char *dimension, *directory;
    int64_t now_ms;
};

enum {
    DIMENSION_TEXT = 64
};

static enum status take_part(const struct args *args, struct work_part *ret,
                             struct err *err)
{
    *ret = (struct work_part){.name = args_text(args, "--part", NULL),
                              .dimension = args_text(args, "--dimension", ""),
                              .directory = args_text(args, "--out", NULL)};
    TRY(args_number(args, "--now", 0, 0, &ret->now_ms, err));
    if (ret->name == NULL)
        return ST_OK;
    bool is_tables = strcmp(ret->name, "tables") == 0;
    if (!is_tables && strcmp(ret->name, "read") != 0 && strcmp(ret->name, "write") != 0)
        return err_set(err, ST_USAGE,
                       "--part takes 'tables', 'read' or 'write', not '%s'", ret->name);
    if (is_tables && ret->directory == NULL)
        return err_set(err, ST_USAGE,
                       "--part tables needs --out: a directory for their rows");
    if (!is_tables && strlen(ret->dimension) != DIMENSION_TEXT)
        return err_set(err, ST_USAGE,
                       "--part %s needs --dimension: the version of the tables, as "
                       "--part tables has said it",
                       ret->name);
    return ST_OK;
}

static bool is_part(const struct work_part *part, const char *name)
{
    return part->name != NULL && strcmp(part->name, name) == 0;
}

static enum status open_parts(const struct args *args, const struct work_part *part,
                              struct pipeline *pipeline, struct run_parts *parts,
                              struct err *err)
{
    TRY(args_script(args, 0, pipeline, err));
    TRY(pipeline_need_insert(pipeline, err));
    TRY(tables_executor_check(pipeline->plan, err));
    TRY(stop_catch(err));
    pipeline->deadline = stop_waits();
    if (args_has(args, "--token-line"))
        TRY(tokens_take_line(pipeline, err));
    if (args_has(args, "--token-env"))
        TRY(tokens_take_variable(pipeline, err));
    if (is_part(part, "tables"))
        return ST_OK;
    if (is_part(part, "read"))
        return run_parts_open_reader(pipeline, part->dimension, parts, err);
    if (is_part(part, "write"))
        return run_parts_open_writer(pipeline, part->dimension, parts, err);
    return run_parts_open_maker(pipeline, parts, err);
}

static enum status give_tables(const struct work_part *part, struct pipeline *pipeline,
                               struct err *err)
{
    AUTO(buf_release) struct buf line = {0};
    bool is_known = false;
    if (part->dimension[0] != '\0')
        TRY(relations_are_known(pipeline, part->dimension, &is_known, err));
    if (is_known)
        buf_printf(&line, "{\"v\":1,\"kind\":\"tables\",\"dimension\":\"%s\"}\n",
                   part->dimension);
    else
        TRY(relations_write(pipeline, part->directory, &line, err));
    fwrite(line.p, 1, line.n, stdout);
    return fflush(stdout) == 0 ? ST_OK
                               : err_set(err, ST_FAIL, "cannot write to standard output");
}

static enum status work(const struct work_part *part, struct pipeline *pipeline,
                        const struct run_parts *parts, struct err *err)
{
    if (is_part(part, "tables"))
        return give_tables(part, pipeline, err);
    if (is_part(part, "read"))
        return units_read(parts, code_of, err);
    if (is_part(part, "write"))
        return units_write(parts, code_of, part->now_ms, err);
    return units_work(parts, code_of, err);
}

static enum status run(const struct args *args, struct err *err)
{
    struct pipeline pipeline = {0};
    struct run_parts parts = {0};
    struct parent_watch parent = {0};
    struct work_part part;
    TRY(take_part(args, &part, err));
    if (args_has(args, "--with-parent"))
        parent_watch_open(&parent);
    enum status status = open_parts(args, &part, &pipeline, &parts, err);
    if (status == ST_OK)
        status = work(&part, &pipeline, &parts, err);
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
    {"--part", "PART",
     "for Spark SQL: tables, read or write, with what it makes between"},
    {"--dimension", "HASH", "version of the tables (--part)"},
    {"--out", "DIR", "where the rows of the tables go (--part tables)"},
    {"--now", "MS", "the time that SQL's now() was given (--part write)"},
    {"--exit-line", NULL, "its end as a JSON line on stdout; the exit code is 0 then"},
    {"--with-parent", NULL, "end, as by SIGTERM, with the process that started this one"},
    {"--token-line", NULL,
     "the first line of standard input is delegation tokens (tramline token)"},
    {"--token-env", NULL, "TRAMLINE_TOKENS of the environment is delegation tokens"},
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
