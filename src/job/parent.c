// SPDX-License-Identifier: Apache-2.0
#include "job/parent.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/thread.h"
#include "job/stop.h"

#define PARENT_VARIABLE "TRAMLINE_PARENT"

enum {
    PARENT_SIGNAL = SIGUSR1, // that it ended, by the kernel
    LOOK_S = 1
};

static bool output_is_read(void)
{
    struct pollfd fd = {.fd = STDOUT_FILENO};
    return poll(&fd, 1, 0) <= 0 || (fd.revents & POLLERR) == 0;
}

static void *watch_thread(void *arg)
{
    struct parent_watch *watch = arg;
    const struct timespec time = {.tv_sec = LOOK_S};
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, PARENT_SIGNAL);
    while (!atomic_load(&watch->is_closing)) {
        if (getppid() != watch->parent || !output_is_read()) {
            log_info("the process that started this one is gone: stopping");
            stop_ask_orphan();
            break;
        }
        sigtimedwait(&signals, NULL, &time);
    }
    return NULL;
}

// Ours may have ended before we could ask for it.
static pid_t known_parent(void)
{
    const char *text = getenv(PARENT_VARIABLE);
    char *end = NULL;
    long pid = text != NULL ? strtol(text, &end, 10) : 0;
    if (text == NULL)
        return getppid();
    if (pid > 0 && pid <= INT32_MAX && *end == '\0')
        return (pid_t)pid;
    log_warn(PARENT_VARIABLE " is '%s', which is no process's number: passed over", text);
    return getppid();
}

// What is said on its way to nobody must not end us.
void parent_watch_open(struct parent_watch *watch)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, PARENT_SIGNAL);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    *watch = (struct parent_watch){.parent = known_parent(), .is_open = true};
    prctl(PR_SET_PDEATHSIG, PARENT_SIGNAL);
    thread_start(&watch->thread, watch_thread, watch);
}

void parent_watch_close(struct parent_watch *watch)
{
    if (!watch->is_open)
        return;
    prctl(PR_SET_PDEATHSIG, 0);
    atomic_store(&watch->is_closing, true);
    pthread_kill(watch->thread, PARENT_SIGNAL);
    pthread_join(watch->thread, NULL);
    watch->is_open = false;
}
