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
