// SPDX-License-Identifier: Apache-2.0
#include "cli/args.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/log.h"
#include "cli/error_code.h"
#include "cli/json_schema.h"
#include "cli/term.h"
#include "core/env.h"
#include "core/stream_start.h"

enum {
    SET_FILE_BYTES_MAX = 1 << 20
};

static const struct flag script_flags[] = {
    {"--set", "NAME=VALUE", "value of ${NAME} in the script (else the environment's)"},
    {"--set-file", "NAME=FILE",
     "the same from a file, for secrets; a final line end goes"},
};
static const struct flag common_flags[] = {
    {"--log-level", "LEVEL", "debug, info, warn or error (default info)"},
    {"--log-format", "FORMAT",
     "text, or json: log and errors as JSON lines (default text)"},
    {"--help", NULL, "this text"},
};

const struct flag *args_shared_flags(bool of_scripts, size_t *ret_n)
{
    *ret_n = of_scripts ? ARRAY_LEN(script_flags) : ARRAY_LEN(common_flags);
    return of_scripts ? script_flags : common_flags;
}

static void print_flags(const struct flag *flags, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char left[64];
        snprintf(left, sizeof(left), "%s%s%s", flags[i].name,
                 flags[i].argument ? " " : "",
                 flags[i].argument ? flags[i].argument : "");
        printf("  %-24s %s\n", left, flags[i].help);
    }
}

void args_help(const struct command *command)
{
    printf("usage: tramline %s%s%s [OPTION ...]\n\n%s.\n", command->name,
           command->arguments[0] ? " " : "", command->arguments, command->about);
    if (command->more != NULL)
        printf("%s\n", command->more);
    printf("\nOptions:\n");
    print_flags(command->flags, command->n_flags);
    if (!command->no_script)
        print_flags(script_flags, ARRAY_LEN(script_flags));
    print_flags(common_flags, ARRAY_LEN(common_flags));
    printf("\n--json=schema prints the JSON Schema of what --json prints.\n");
    printf("\nExit codes: %s.\n",
           command->exit_codes != NULL
               ? command->exit_codes
               : "0 done, 1 failed, 2 wrong usage, 3 the data has errors");
}

static enum status add_variable(struct args *args, struct str name, struct str value,
                                bool from_set)
{
    MEM_GROW(args->variables, args->n_variables, args->variables_capacity);
    args->variables[args->n_variables++] = (struct variable){name, value, from_set};
    return ST_OK;
}

static enum status split_pair(const char *flag, const char *text, struct str *ret_name,
                              struct str *ret_value, struct err *err)
{
    struct str rest = str_of(text);
    *ret_name = str_cut(&rest, '=');
    if (rest.p == NULL || ret_name->n == 0)
        return err_set(err, ST_USAGE, "%s takes NAME=%s, not '%s'", flag,
                       strcmp(flag, "--set") == 0 ? "VALUE" : "FILE", text);
    *ret_value = rest;
    return ST_OK;
}

static enum status set_from_file(struct args *args, const char *text, struct err *err)
{
    struct str name, file;
    TRY(split_pair("--set-file", text, &name, &file, err));
    const char *path = arena_cstr(&args->arena, file);
    FILE *stream = fopen(path, "rb"); // a pipe will do: it is read once
    if (stream == NULL)
        return err_set(err, ST_USAGE, "--set-file %.*s: cannot open %s: %s",
                       STR_ARGS(name), path, strerror(errno));
    AUTO(buf_release) struct buf bytes = BUF_INIT(SET_FILE_BYTES_MAX);
    char piece[4096];
    for (size_t n = 1; n > 0 && !bytes.full;) {
        n = fread(piece, 1, sizeof(piece), stream);
        buf_append(&bytes, piece, n);
    }
    int error = ferror(stream) ? errno : 0;
    fclose(stream);
    if (error != 0)
        return err_set(err, ST_USAGE, "--set-file %.*s: cannot read %s: %s",
                       STR_ARGS(name), path, strerror(error));
    if (bytes.full || bytes.n == SET_FILE_BYTES_MAX)
        return err_set(err, ST_USAGE, "--set-file %.*s: %s has more than %d bytes",
                       STR_ARGS(name), path, SET_FILE_BYTES_MAX - 1);
    struct str value = arena_str(&args->arena, buf_as_str(&bytes));
    if (str_ends_with(value, "\n"))
        value.n--;
    if (str_ends_with(value, "\r"))
        value.n--;
    return add_variable(args, name, value, false);
}

static enum status set_log_level(const char *text, struct err *err)
{
    enum log_level level;
    if (!log_level_of(str_of(text), &level))
        return err_set(err, ST_USAGE,
                       "--log-level takes debug, info, warn or error, "
                       "not '%s'",
                       text);
    log_set_level(level);
    return ST_OK;
}

static enum status set_log_format(const char *text, struct err *err)
{
    if (strcmp(text, "json") == 0)
        log_set_json();
    else if (strcmp(text, "text") != 0)
        return err_set(err, ST_USAGE, "--log-format takes text or json, not '%s'", text);
    return ST_OK;
}

static void keep_given(struct args *args, const char *flag, const char *value)
{
    for (int i = 0; i < 2; i++) {
        MEM_GROW(args->given, args->n_given, args->given_capacity);
        args->given[args->n_given++] = i == 0 ? flag : value;
    }
}

static enum status take_common(struct args *args, const char *flag, const char *value,
                               struct err *err)
{
    if (strcmp(flag, "--log-level") == 0)
        return set_log_level(value, err);
    if (strcmp(flag, "--log-format") == 0)
        return set_log_format(value, err);
    if (strcmp(flag, "--set-file") == 0) {
        keep_given(args, flag, value);
        return set_from_file(args, value, err);
    }
    struct str name, text;
    TRY(split_pair(flag, value, &name, &text, err));
    keep_given(args, flag, value);
    return add_variable(args, name, text, true);
}

static const struct flag *find_in(const struct flag *flags, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_is(name, flags[i].name))
            return &flags[i];
    return NULL;
}

static const struct flag *find_flag(const struct command *command, struct str name)
{
    const struct flag *flag = find_in(command->flags, command->n_flags, name);
    if (flag == NULL && !command->no_script)
        flag = find_in(script_flags, ARRAY_LEN(script_flags), name);
    if (flag == NULL)
        flag = find_in(common_flags, ARRAY_LEN(common_flags), name);
    return flag;
}

static enum status unknown_flag(const struct command *command, struct str name,
                                struct err *err)
{
    const char *names[32];
    size_t n = 0;
    for (size_t i = 0; i < command->n_flags; i++)
        names[n++] = command->flags[i].name;
    for (size_t i = 0; i < ARRAY_LEN(script_flags) && !command->no_script; i++)
        names[n++] = script_flags[i].name;
    for (size_t i = 0; i < ARRAY_LEN(common_flags); i++)
        names[n++] = common_flags[i].name;
    const char *nearest = str_nearest(name, names, n);
    return err_set(err, ST_USAGE, "there is no option '%.*s'%s%s%s", STR_ARGS(name),
                   nearest ? "; did you mean " : "", nearest ? nearest : "",
                   nearest ? "?" : "");
}

// Takes argv[*i], a flag, and its argument.
static enum status take_flag(struct args *args, int argc, char **argv, int *i,
                             struct err *err)
{
    struct str value = str_of(argv[*i]);
    struct str name = str_cut(&value, '=');
    const struct flag *flag = find_flag(args->command, name);
    if (flag == NULL)
        return unknown_flag(args->command, name, err);
    const char *text = value.p;
    if (flag->argument == NULL && text != NULL && strcmp(flag->name, "--json") == 0)
        return err_set(err, ST_USAGE,
                       "--json takes nothing, or =schema, which prints its schema");
    if (flag->argument == NULL && text != NULL)
        return err_set(err, ST_USAGE, "%s takes no argument", flag->name);
    if (flag->argument != NULL && text == NULL) {
        if (*i + 1 >= argc)
            return err_set(err, ST_USAGE, "%s needs %s after it", flag->name,
                           flag->argument);
        text = argv[++*i];
    }
    const struct command *command = args->command;
    if (flag < command->flags || flag >= command->flags + command->n_flags)
        return take_common(args, flag->name, text, err);
    args->flags[flag - command->flags] = text ? text : "";
    return ST_OK;
}

// Also on a line that cannot be read to its end.
static bool has_word(int argc, char **argv, const char *word)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], word) == 0)
            return true;
    return false;
}

static enum status too_many(const struct command *command, const char *word,
                            struct err *err)
{
    return err_set(err, ST_USAGE, "'%s' is one argument too many; usage: tramline %s %s",
                   word, command->name, command->arguments);
}

static enum status take_all(struct args *args, int argc, char **argv, struct err *err)
{
    const struct command *command = args->command;
    size_t n = 0;
    bool only_names = false;
    for (int i = 0; i < argc; i++) {
        if (!only_names && strcmp(argv[i], "--") == 0) {
            only_names = true;
        } else if (!only_names && argv[i][0] == '-' && argv[i][1] != '\0') {
            TRY(take_flag(args, argc, argv, &i, err));
        } else {
            args->positional[n++] = argv[i];
        }
    }
    size_t wanted = command->n_arguments;
    if (command->instead_of_first && args_has(args, command->instead_of_first))
        wanted--;
    args->n_positional = n;
    if (n > wanted && !command->takes_more)
        return too_many(command, args->positional[wanted], err);
    if (n < wanted)
        return err_set(err, ST_USAGE, "an argument is missing; usage: tramline %s %s",
                       command->name, command->arguments);
    return ST_OK;
}

enum args_result args_parse(const struct command *command, int argc, char **argv,
                            struct args *ret)
{
    *ret = (struct args){.command = command};
    if (has_word(argc, argv, "--help") || has_word(argc, argv, "-h")) {
        args_help(command);
        return ARGS_DONE;
    }
    if (has_word(argc, argv, "--json=schema")) {
        json_schema_print(command->name);
        return ARGS_DONE;
    }
    ret->flags = arena_array(&ret->arena, command->n_flags, sizeof(*ret->flags));
    ret->positional = arena_array(&ret->arena, (size_t)argc, sizeof(*ret->positional));
    struct err err = {0};
    if (take_all(ret, argc, argv, &err) == ST_OK)
        return ARGS_RUN;
    if (log_is_json() || has_word(argc, argv, "--json"))
        error_line_print(command->name, 2, str_of(err.text), (struct str){0}, NULL);
    else
        fprintf(stderr, "tramline %s: %s\n(tramline %s --help says more)\n",
                command->name, err.text, command->name);
    return ARGS_BAD;
}

void args_release(struct args *args)
{
    free(args->variables);
    free(args->given);
    arena_release(&args->arena);
}

const char *args_text(const struct args *args, const char *flag, const char *otherwise)
{
    const struct flag *found =
        find_in(args->command->flags, args->command->n_flags, str_of(flag));
    assert(found != NULL);
    const char *text = args->flags[found - args->command->flags];
    return text ? text : otherwise;
}

bool args_has(const struct args *args, const char *flag)
{
    return args_text(args, flag, NULL) != NULL;
}

enum status args_number(const struct args *args, const char *flag, int64_t min,
                        int64_t otherwise, int64_t *ret, struct err *err)
{
    const char *text = args_text(args, flag, NULL);
    *ret = otherwise;
    if (text == NULL)
        return ST_OK;
    struct str number = str_of(text);
    if (str_ends_with(number, "/s"))
        number.n -= 2;
    if (!str_to_i64(number, ret) || *ret < min)
        return err_set(err, ST_USAGE,
                       "%s takes a whole number of at least %lld, not '%s'", flag,
                       (long long)min, text);
    return ST_OK;
}

// Of a flag that not all commands have, on a line that may not have been read.
static bool may_have(const struct args *args, const char *flag)
{
    const struct command *command = args->command;
    return args->flags != NULL &&
           find_in(command->flags, command->n_flags, str_of(flag)) != NULL &&
           args_has(args, flag);
}

bool args_errors_are_json(const struct args *args)
{
    return log_is_json() || may_have(args, "--json");
}

bool args_end_by_line(const struct args *args)
{
    return may_have(args, "--exit-line");
}

static void print_script_error(const struct script_error *error)
{
    struct error_place place = {error->file, error->line, error->column, error->near};
    error_line_print("", 2, error->text, error->hint, &place);
}

enum status args_time(const struct args *args, const char *flag, int64_t *ret,
                      struct err *err)
{
    const char *text = args_text(args, flag, NULL);
    int64_t back_ms;
    *ret = 0;
    if (text == NULL || stream_time_parse(str_of(text), ret))
        return ST_OK;
    if (!option_duration(str_of(text), &back_ms))
        return err_set(err, ST_USAGE,
                       "%s takes a timestamp such as 2026-11-22T05:00:00Z, or how "
                       "long ago, such as 90min, 12h or 7d, not '%s'",
                       flag, text);
    *ret = env_system()->ops->wall_ms(env_system()) - back_ms;
    return ST_OK;
}

// --engine: whether the script is to be Spark SQL as well.
static enum status take_engine(const struct args *args, bool *ret_spark, struct err *err)
{
    const char *engine =
        may_have(args, "--engine") ? args_text(args, "--engine", NULL) : NULL;
    bool is_sql = engine != NULL && strcmp(engine, "sql") == 0;
    *ret_spark = is_sql || may_have(args, "--part");
    bool is_known = engine == NULL || is_sql || strcmp(engine, "placement") == 0 ||
                    strcmp(engine, "units") == 0;
    if (is_known)
        return ST_OK;
    return err_set(err, ST_USAGE,
                   "--engine takes 'placement', 'units' or 'sql', not '%s'", engine);
}

enum status args_script(const struct args *args, int i, struct pipeline *ret,
                        struct err *err)
{
    struct pipeline_script script = {
        .path = args->positional[i],
        .variables = args->variables,
        .n_variables = args->n_variables,
        .width = term_width_err(),
        .on_error = args_errors_are_json(args) ? print_script_error : NULL,
    };
    TRY(take_engine(args, &script.for_spark, err));
    return pipeline_open(&script, ret, err);
}
