// SPDX-License-Identifier: Apache-2.0
#include "wire/aside.h"

#include <unistd.h>

#include "base/thread.h"

void wire_aside_start(void *(*run)(void *shared), void *shared)
{
    pthread_t thread;
    thread_start(&thread, run, shared);
    pthread_detach(thread);
}

bool wire_aside_end(struct wire_aside *aside, int wake_fd)
{
    const uint64_t one = 1;
    lock_take(&aside->lock);
    aside->is_done = true;
    bool is_left = aside->is_left;
    ssize_t n = is_left ? 0 : write(wake_fd, &one, sizeof(one));
    (void)n; // a counter that is full wakes, too
    lock_give(&aside->lock);
    return is_left;
}

bool wire_aside_is_done(struct wire_aside *aside)
{
    lock_take(&aside->lock);
    bool is_done = aside->is_done;
    lock_give(&aside->lock);
    return is_done;
}

bool wire_aside_leave(struct wire_aside *aside)
{
    lock_take(&aside->lock);
    aside->is_left = true;
    bool is_done = aside->is_done;
    lock_give(&aside->lock);
    return is_done;
}
