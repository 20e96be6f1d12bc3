// SPDX-License-Identifier: Apache-2.0
// Threads as memory (mem.h): without one the process says so and ends, which is safe at
// any moment.
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

void thread_start(pthread_t *ret, void *(*run)(void *arg), void *arg);

// So many ms from now, for a condition that waits by the monotonic clock.
struct timespec thread_time_in(int64_t ms);

#endif
