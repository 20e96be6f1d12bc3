// SPDX-License-Identifier: Apache-2.0
// The commands of the program, one file each, and what they share.
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/args.h"

extern const struct command command_init;
extern const struct command command_extract;
extern const struct command command_produce;
extern const struct command command_run;
extern const struct command command_coordinate;
extern const struct command command_work;
extern const struct command command_spark;
extern const struct command command_token;
extern const struct command command_check;
extern const struct command command_explain;
extern const struct command command_test;
extern const struct command command_new;
extern const struct command command_verify;
extern const struct command command_history;
extern const struct command command_status;
extern const struct command command_diff;
extern const struct command command_top;
extern const struct command command_preview;
extern const struct command command_dead;
extern const struct command command_cat;
extern const struct command command_codegen;
extern const struct command command_demo;
extern const struct command command_explain_error;
extern const struct command command_generate;
extern const struct command command_reference;

// All of them, as `tramline help` lists them.
const struct command *const *cli_commands(size_t *ret_n);

// Runs one command as the program would; the exit code. `argv` begins with its name.
int cli_main(int argc, char **argv);

int cli_exit_code(enum status status);

#endif
