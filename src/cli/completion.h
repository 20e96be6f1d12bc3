// SPDX-License-Identifier: Apache-2.0
// What a shell needs to complete a command line of this program, printed on stdout from
// the tables of its commands.
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

#include "base/status.h"

// ST_USAGE: `shell` is none of bash, zsh and fish.
enum status completion_print(const char *shell, struct err *err);

#endif
