// SPDX-License-Identifier: Apache-2.0
#include "cli/stop.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

// Signals have no other way in than variables of the process.
static atomic_bool asked;
static struct deadline waits;
static struct deadline farewell;
static _Atomic int wake_fd = -1;

// Only what a signal handler may call.
static int64_t now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void on_signal(int number)
{
    if (atomic_exchange(&asked, true))
        _exit(128 + number); // the second one: what is committed stays committed
    deadline_end(&waits);
    deadline_set(&farewell, now_ms() + STOP_MS);
    const uint64_t one = 1;
    ssize_t n = write(atomic_load(&wake_fd), &one, sizeof(one));
    (void)n; // it is the first
}

void stop_catch(void)
{
    if (atomic_load(&wake_fd) < 0)
        atomic_store(&wake_fd, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    deadline_set(&waits, 0); // an earlier command's may be over
    if (atomic_load(&asked))
        deadline_end(&waits);
}

bool stop_is_asked(void)
{
    return atomic_load(&asked);
}

struct deadline *stop_waits(void)
{
    return &waits;
}

const struct deadline *stop_farewell(void)
{
    return &farewell;
}

int stop_fd(void)
{
    return atomic_load(&wake_fd);
}

bool stop_is_why(enum status status)
{
    return stop_is_asked() &&
           (status == ST_RETRY || status == ST_UNKNOWN || status == ST_STOP);
}
