// SPDX-License-Identifier: Apache-2.0
// The command line: one table a command; --help, checks and suggestions come from it.
//
// Every command has the common flags --help, --log-level and --log-format, and in its own
// table --json; those with a script also --set and --set-file. Errors are told on stderr
// and are ST_USAGE.
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include "base/arena.h"
#include "base/status.h"
#include "job/pipeline.h"

struct args;

struct flag {
    const char *name;     // "--limit"
    const char *argument; // "N"; NULL: the flag takes none
    const char *help;     // one line
};

struct command {
    const char *name;
    const char *arguments; // "FEED PIPELINE.sql"
    const char *about;     // one line, no final dot
    const char *more;      // a paragraph for --help
    const struct flag *flags;
    size_t n_flags;
    size_t n_arguments;           // exactly so many
    bool takes_more;              // or any number beyond
    const char *instead_of_first; // flag with which the first is left out; NULL: none
    bool no_script;               // has no --set
    const char *exit_codes;       // NULL: as all have them
    const char *words;            // that the first argument may be, by blanks; NULL: any
    enum status (*run)(const struct args *args, struct err *err);
};

struct args {
    const struct command *command;
    const char **positional;
    size_t n_positional;
    const char **flags; // for each of the command's flags its argument, or "" when given
    const char **given; // of --set and --set-file: flag and argument by turns
    size_t n_given, given_capacity;
    struct variable *variables;
    size_t n_variables, variables_capacity;
    struct arena arena;
};

enum args_result {
    ARGS_RUN,  // go on
    ARGS_DONE, // --help or --json=schema was asked for and shown
    ARGS_BAD,  // told on stderr
};

// `argv` without the program and the command; borrowed, as are texts of the result.
enum args_result args_parse(const struct command *command, int argc, char **argv,
                            struct args *ret);
void args_release(struct args *args);

bool args_has(const struct args *args, const char *flag);
// The flag's argument, or `otherwise`.
const char *args_text(const struct args *args, const char *flag, const char *otherwise);
// ST_USAGE when it is not a whole number of at least `min`.
enum status args_number(const struct args *args, const char *flag, int64_t min,
                        int64_t otherwise, int64_t *ret, struct err *err);

// A timestamp, or how long ago: ms since 1970, 0 without the flag. ST_USAGE.
enum status args_time(const struct args *args, const char *flag, int64_t *ret,
                      struct err *err);

// Opens the script that is this argument, with the variables that were given.
enum status args_script(const struct args *args, int i, struct pipeline *ret,
                        struct err *err);

// Whether errors go to stderr as JSON lines: --json, or --log-format json.
bool args_errors_are_json(const struct args *args);

// Whether the end is told by a line on stdout and not by the exit code: --exit-line.
bool args_end_by_line(const struct args *args);

void args_help(const struct command *command);
// The flags that every command with a script has, or else every command.
const struct flag *args_shared_flags(bool of_scripts, size_t *ret_n);

#endif
