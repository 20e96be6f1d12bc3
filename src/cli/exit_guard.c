// SPDX-License-Identifier: Apache-2.0
#include "cli/exit_guard.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "cli/stop.h"
#include "core/env.h"

enum {
    LIMIT_MS = 5000,
    LEAST_MS = 500 // of a stop that has used up its time
};

// Signals have no other way in than variables of the process.
static char last_words[2048];
static int code;

static void on_alarm(UNUSED int number)
{
    ssize_t n = write(STDERR_FILENO, last_words, strlen(last_words));
    (void)n; // there is nobody left to tell
    _exit(code);
}

static void set_alarm(int64_t ms)
{
    struct itimerval time = {.it_value = {ms / 1000, ms % 1000 * 1000}};
    setitimer(ITIMER_REAL, &time, NULL);
}

static int64_t limit_ms(void)
{
    int64_t now_ms = env_system()->ops->monotonic_ms(env_system());
    int64_t ms = deadline_left(stop_farewell(), now_ms, LIMIT_MS);
    return ms > LEAST_MS ? ms : LEAST_MS;
}

void exit_guard_arm(const struct command *command, enum status status,
                    const struct err *err)
{
    bool is_flushed = fflush(stdout) == 0;
    code = cli_exit_code(status == ST_OK && !is_flushed ? ST_FAIL : status);
    if (status != ST_OK)
        snprintf(last_words, sizeof(last_words), "tramline %s: %s\n", command->name,
                 err->text);
    struct sigaction action = {.sa_handler = on_alarm};
    sigaction(SIGALRM, &action, NULL);
    set_alarm(limit_ms());
}

void exit_guard_disarm(void)
{
    set_alarm(0);
}
