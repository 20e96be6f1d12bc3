// SPDX-License-Identifier: Apache-2.0
// The last guard: what a library still waits for when a command's work is done
// (librdkafka may wait for ever at its close) is left to the end of the process.
#ifndef CLI_EXIT_GUARD_H
#define CLI_EXIT_GUARD_H

#include "cli/commands.h"

// From here on the command only closes what it opened, and the process ends within a few
// seconds, after a signal within STOP_MS of it: by itself, or here, with the exit code
// and the error that the command would have given.
void exit_guard_arm(const struct command *command, enum status status,
                    const struct err *err);
// All is closed.
void exit_guard_disarm(void);

#endif
