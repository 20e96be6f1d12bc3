// SPDX-License-Identifier: Apache-2.0
#include "base/thread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void thread_start(pthread_t *ret, void *(*run)(void *arg), void *arg)
{
    int error = pthread_create(ret, NULL, run, arg);
    if (error == 0)
        return;
    fprintf(stderr,
            "out of threads: %s; raise the limit of processes (ulimit -u) or of memory\n",
            strerror(error));
    abort();
}

struct timespec thread_time_in(int64_t ms)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    time.tv_sec += ms / 1000;
    time.tv_nsec += ms % 1000 * 1000000L;
    if (time.tv_nsec >= 1000000000L) {
        time.tv_nsec -= 1000000000L;
        time.tv_sec++;
    }
    return time;
}
