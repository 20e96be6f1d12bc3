// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "cli/commands.h"

// Signals have no other way in than variables of the process.
static atomic_bool asked;
static void (*_Atomic notify)(void);

static void on_signal(int number)
{
    if (atomic_exchange(&asked, true))
        _exit(128 + number); // the second one: what is committed stays committed
    void (*call)(void) = atomic_load(&notify);
    if (call != NULL)
        call();
}

const atomic_bool *cli_stop_flag(void (*on_stop)(void))
{
    atomic_store(&notify, on_stop);
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    return &asked;
}
