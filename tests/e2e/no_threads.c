// SPDX-License-Identifier: Apache-2.0
// For LD_PRELOAD: no thread can be started.
#include <errno.h>
#include <pthread.h>

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                   void *(*run)(void *), void *arg)
{
    (void)thread, (void)attributes, (void)run, (void)arg;
    return EAGAIN;
}
