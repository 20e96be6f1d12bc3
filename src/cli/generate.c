// SPDX-License-Identifier: Apache-2.0
#include "generate/generate.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/json_print.h"
#include "job/pipeline.h"

// ST_USAGE: the script came by a pipe, so that no other program could read it again.
static enum status absolute_script(const char *path, char ret[PATH_MAX], struct err *err)
{
    if (strcmp(path, "-") == 0 || realpath(path, ret) == NULL)
        return err_set(err, ST_USAGE,
                       "systemd: the unit names the script; give its path, not '%s'",
                       path);
    if (strchr(ret, '\n') != NULL)
        return err_set(err, ST_USAGE,
                       "systemd: a path in a unit has no line break; rename %s", ret);
    return ST_OK;
}

static enum status add_directory(struct pipeline *pipeline, const struct options *options,
                                 const char **writes, size_t *n, struct err *err)
{
    struct storage_url url;
    TRY(storage_url_parse(options_text(options, "path"), &pipeline->arena, &url, err));
    if (url.is_local)
        writes[(*n)++] = url.path;
    return ST_OK;
}

// What run writes to beside its state: the result and the views that are kept.
static enum status directories(struct pipeline *pipeline, const char ***ret,
                               size_t *ret_n, struct err *err)
{
    const struct plan *plan = pipeline->plan;
    const char **writes =
        arena_array(&pipeline->arena, plan->n_views + 2, sizeof(*writes));
    *ret_n = 0;
    for (size_t i = 0; i < plan->n_views; i++)
        if (plan->views[i].materialized)
            TRY(add_directory(pipeline, &plan->views[i].options, writes, ret_n, err));
    TRY(add_directory(pipeline, &plan->sink->options, writes, ret_n, err));
    struct str spool = options_text(&plan->settings, "spool");
    char here[PATH_MAX];
    if (spool.p != NULL && spool.p[0] != '/' && getcwd(here, sizeof(here)) != NULL)
        writes[(*ret_n)++] = arena_printf(&pipeline->arena, "%s/%s", here, spool.p);
    else if (spool.p != NULL)
        writes[(*ret_n)++] = spool.p;
    *ret = writes;
    return ST_OK;
}

static enum status print_systemd(const struct args *args, struct pipeline *pipeline,
                                 struct err *err)
{
    char script[PATH_MAX], program[PATH_MAX] = "";
    TRY(absolute_script(args->positional[1], script, err));
    if (readlink("/proc/self/exe", program, sizeof(program) - 1) < 0)
        strcpy(program, "/usr/bin/tramline");
    char here[PATH_MAX]; // relative paths of the script begin here
    struct generate_service service = {
        .directory = getcwd(here, sizeof(here)),
        .program = program,
        .script = script,
        .variables = arena_printf(&pipeline->arena, "%s.env", script),
        .needs = pipeline->plan->variables,
        .n_needs = pipeline->plan->n_variables,
        .name = pipeline->job_name,
    };
    const char **writes;
    TRY(directories(pipeline, &writes, &service.n_writes, err));
    service.writes = writes;
    AUTO(buf_release) struct buf text = {0};
    generate_service(&service, &text);
    fwrite(text.p, 1, text.n, stdout);
    return ST_OK;
}

static enum status print_duckdb(const struct args *args, struct pipeline *pipeline,
                                struct err *err)
{
    (void)args;
    const struct table *sink = pipeline->plan->sink;
    struct storage_url url;
    TRY(storage_url_parse(options_text(&sink->options, "path"), &pipeline->arena, &url,
                          err));
    struct generate_view view = {
        .table = {sink->name, &pipeline->plan->output, &sink->format},
        .directory = str_of(url.is_local ? url.path : url.text),
        .is_local = url.is_local,
        .by_day = options_is(&sink->options, "directory", "day"),
    };
    AUTO(buf_release) struct buf text = {0};
    generate_duckdb(&view, &text);
    fwrite(text.p, 1, text.n, stdout);
    return ST_OK;
}

static void describe(const struct pipeline *pipeline, struct generate_monitoring *ret)
{
    const struct options *set = &pipeline->plan->settings;
    struct str listen = options_text(set, "status.listen");
    *ret = (struct generate_monitoring){
        .name = pipeline->job_name,
        .listen = listen.p ? listen.p : "127.0.0.1:9187",
        .commit_ms = options_number(set, "commit.interval"),
    };
}

static enum status print_alerts(UNUSED const struct args *args, struct pipeline *pipeline,
                                UNUSED struct err *err)
{
    struct generate_monitoring job;
    describe(pipeline, &job);
    AUTO(buf_release) struct buf text = {0};
    generate_alerts(&job, &text);
    fwrite(text.p, 1, text.n, stdout);
    return ST_OK;
}

static enum status print_grafana(UNUSED const struct args *args,
                                 struct pipeline *pipeline, UNUSED struct err *err)
{
    struct generate_monitoring job;
    describe(pipeline, &job);
    AUTO(buf_release) struct buf text = {0};
    generate_grafana(&job, &text);
    fwrite(text.p, 1, text.n, stdout);
    return ST_OK;
}

static const struct kind {
    const char *name;
    enum status (*print)(const struct args *args, struct pipeline *pipeline,
                         struct err *err);
} kinds[] = {
    {"systemd", print_systemd},
    {"alerts", print_alerts},
    {"grafana", print_grafana},
    {"duckdb", print_duckdb},
};

static enum status print_kind(const struct args *args, const struct kind *kind,
                              struct err *err)
{
    struct pipeline pipeline;
    TRY(args_script(args, 1, &pipeline, err));
    enum status status = pipeline_need_insert(&pipeline, err);
    if (status == ST_OK)
        status = kind->print(args, &pipeline, err);
    pipeline_release(&pipeline);
    return status;
}

static enum status print(const struct args *args, struct err *err)
{
    const char *name = args->positional[0];
    if (strcmp(name, "completion") == 0)
        return completion_print(args->positional[1], err);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (strcmp(name, kinds[i].name) == 0)
            return print_kind(args, &kinds[i], err);
    return err_set(err, ST_USAGE, "there is no '%s' to generate; there are %s", name,
                   command_generate.words);
}

static enum status run(const struct args *args, struct err *err)
{
    bool is_shell = strcmp(args->positional[0], "completion") == 0;
    return json_print_text(args, args->positional[is_shell], print, err);
}

static const struct flag flags[] = {
    {"--json", NULL, "the text in one JSON object"},
};

const struct command command_generate = {
    .name = "generate",
    .arguments = "KIND PIPELINE.sql",
    .about = "Print what systemd, Prometheus, Grafana, DuckDB or a shell need of a job",
    .more =
        "KIND is systemd (a unit), alerts (rules for Prometheus), grafana (a board), "
        "duckdb (a\n"
        "view over the result) or completion, which takes bash, zsh or fish instead of\n"
        "a script.",
    .words = "systemd alerts grafana duckdb completion",
    .flags = flags,
    .n_flags = ARRAY_LEN(flags),
    .n_arguments = 2,
    .run = run,
};
