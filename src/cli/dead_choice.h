// SPDX-License-Identifier: Apache-2.0
// Which letters `tramline dead` is about, by its flags.
#ifndef CLI_DEAD_CHOICE_H
#define CLI_DEAD_CHOICE_H

#include "cli/args.h"
#include "job/letter_columns.h"

struct dead_choice {
    struct dead_filter filter; // borrows the arguments and the test
    struct str column, value;  // of --where COLUMN=VALUE; p == NULL: none
    struct letter_test test;
};

// ST_USAGE. Needs no script.
enum status dead_choice_parse(const struct args *args, struct dead_choice *ret,
                              struct err *err);
// What of it needs the script. To be closed also when it fails.
enum status dead_choice_open(struct dead_choice *choice, struct pipeline *pipeline,
                             struct err *err);
void dead_choice_close(struct dead_choice *choice);

#endif
