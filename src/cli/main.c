// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/error_code.h"
#include "cli/exit_guard.h"
#include "cli/help_page.h"
#include "cli/json_schema.h"
#include "cli/term.h"
#include "core/env.h"
#include "job/stop.h"

// clang-format off: one a line
static const struct command *const commands[] = {
    &command_new, &command_init,
    &command_extract,
    &command_produce,
    &command_run,
    &command_spark,
    &command_check,
    &command_explain,
    &command_test,
    &command_verify,
    &command_history,
    &command_status,
    &command_diff,
    &command_top,
    &command_preview,
    &command_dead,
    &command_cat,
    &command_coordinate,
    &command_work,
    &command_token,
    &command_codegen,
    &command_demo,
    &command_explain_error,
    &command_generate,
    &command_reference,
};
// clang-format on

const struct command *const *cli_commands(size_t *ret_n)
{
    *ret_n = ARRAY_LEN(commands);
    return commands;
}

static void help(void)
{
    printf(
        "usage: tramline COMMAND ...\n\n"
        "Enriches a stream of stop times with GTFS tables by SQL, and saves it on HDFS "
        "or\nlocal files exactly once.\n\nCommands:\n");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        printf("  %-13s %s\n", commands[i]->name, commands[i]->about);
    printf("\n'tramline COMMAND --help' says more, 'tramline help sql' how a script is "
           "written.\nTo see it all work: tramline demo\n");
}

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(name, commands[i]->name) == 0)
            return commands[i];
    return NULL;
}

static int unknown(const char *what, const char *name, bool has_pages)
{
    const char *names[ARRAY_LEN(commands) + 1];
    size_t n = 0;
    while (n < ARRAY_LEN(commands)) {
        names[n] = commands[n]->name;
        n++;
    }
    if (has_pages)
        names[n++] = "sql";
    const char *nearest = str_nearest(str_of(name), names, n);
    fprintf(stderr, "tramline: there is no %s '%s'%s%s%s\n", what, name,
            nearest ? "; did you mean " : "; tramline --help lists them",
            nearest ? nearest : "", nearest ? "?" : "");
    return 2;
}

// The last word on what was printed: a pipe's reader is gone by SIGPIPE, a disk is full.
// An earlier write may have failed long ago: its errno is another's by now.
static enum status flush_output(struct err *err)
{
    bool failed_now = fflush(stdout) != 0, failed = failed_now || ferror(stdout);
    clearerr(stdout);
    return failed ? err_set(err, ST_FAIL, "cannot write to standard output%s%s",
                            failed_now ? ": " : "", failed_now ? strerror(errno) : "")
                  : ST_OK;
}

// What was printed comes first, also where both go to one file.
static void complain(const char *command, const struct err *err, bool as_json)
{
    fflush(stdout);
    if (as_json) {
        error_line_print(command, cli_exit_code(err->status), str_of(err->text),
                         (struct str){0}, NULL);
        return;
    }
    bool colour = term_has_colour_err();
    fprintf(stderr, "%stramline%s%s: %s%s\n", colour ? "\033[31m" : "",
            command[0] ? " " : "", command, err->text, colour ? "\033[0m" : "");
}

int cli_exit_code(enum status status)
{
    switch (status) {
    case ST_OK:
        return 0;
    case ST_USAGE:
        return 2;
    case ST_DATA:
        return 3;
    default:
        return 1;
    }
}

// What started this program elsewhere hears how it ended by the line alone.
static int say_end(const char *command, int code, const struct err *err)
{
    AUTO(buf_release) struct buf line = {0};
    error_line(&line, command, code, str_of(code != 0 ? err->text : ""), (struct str){0},
               NULL);
    bool is_said = write(STDOUT_FILENO, line.p, line.n) == (ssize_t)line.n;
    return is_said ? 0 : code;
}

int cli_main(int argc, char **argv)
{
    const struct command *command = find(argv[0]);
    if (command == NULL)
        return unknown("command", argv[0], false);
    struct args args;
    struct err err = {0};
    enum status status = ST_USAGE;
    switch (args_parse(command, argc - 1, argv + 1, &args)) {
    case ARGS_RUN:
        status = command->run(&args, &err);
        exit_guard_disarm();
        // A failure without a text is told by the output.
        if ((status == ST_OK || err.text[0] == '\0') && flush_output(&err) != ST_OK)
            status = ST_FAIL;
        if (status != ST_STOP && stop_is_why(status))
            (void)err_context(&err, status, "stopped by a signal");
        if (status != ST_OK && err.text[0] != '\0')
            complain(command->name, &err, args_errors_are_json(&args));
        break;
    case ARGS_DONE:
        status = flush_output(&err);
        if (status != ST_OK)
            complain(command->name, &err, args_errors_are_json(&args));
        break;
    case ARGS_BAD:
        break;
    }
    int code = cli_exit_code(status);
    if (args_end_by_line(&args))
        code = say_end(command->name, code, &err);
    args_release(&args);
    return code;
}

static int end_help(void)
{
    struct err err = {0};
    if (flush_output(&err) == ST_OK)
        return 0;
    complain("", &err, false);
    return 1;
}

// "tramline help", "tramline help run", "tramline help sql".
static int help_on(const char *topic)
{
    const struct command *command = topic ? find(topic) : NULL;
    if (command != NULL)
        args_help(command);
    else if (topic == NULL)
        help();
    else if (strcmp(topic, "sql") == 0)
        fputs(help_page_sql, stdout);
    else
        return unknown("command or page", topic, true);
    return end_help();
}

// Passwords are in memory. A limit of 1 is none even where a program takes cores.
static void write_no_core(void)
{
    struct rlimit limit;
    if (getenv("TRAMLINE_CORE") == NULL && getrlimit(RLIMIT_CORE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max < 1 ? limit.rlim_max : 1;
        setrlimit(RLIMIT_CORE, &limit);
    }
}

// What is closed would be the number of the next file, and what is printed would go
// there. Reading and writing fail, as they should.
static void hold_standard_files(void)
{
    static const int modes[] = {O_WRONLY, O_RDONLY, O_RDONLY};
    for (int fd = 0; fd < (int)ARRAY_LEN(modes); fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)!open("/dev/null", modes[fd]);
}

// Keys come from strangers.
static void seed_hashes(void)
{
    uint8_t secret[HASH_SECRET_BYTES];
    struct env *env = env_system();
    env->ops->random(env, secret, sizeof(secret));
    hash64_seed(secret);
}

int main(int argc, char **argv)
{
    hold_standard_files();
    signal(SIGXFSZ, SIG_IGN); // a file that may not grow is an error of the write
    write_no_core();
    seed_hashes();
    mem_share_heaps();
    if (argc < 2) {
        help();
        return 2;
    }
    const char *first = argv[1];
    if (strcmp(first, "help") == 0)
        return help_on(argc > 2 ? argv[2] : NULL);
    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0)
        return help_on(NULL);
    if (strcmp(first, "--json=schema") == 0) {
        json_schema_print("stderr");
        return end_help();
    }
    if (strcmp(first, "--version") == 0) {
        printf("tramline %s\n", TRAMLINE_VERSION);
        return end_help();
    }
    return cli_main(argc - 1, argv + 1);
}
