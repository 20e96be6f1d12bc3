// SPDX-License-Identifier: Apache-2.0
#include "cli/slot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/text.h"

static int open_lock(const char *directory, int number, int flags)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/slot-%d.lock", directory, number);
    return open(path, O_RDWR | flags | O_CLOEXEC, 0600);
}

static enum status no_lock(const char *directory, struct err *err)
{
    return err_set(err, ST_FAIL,
                   "spool: cannot make a lock file in %s: %s; give another directory by "
                   "SET spool = '...'",
                   directory, strerror(errno));
}

static enum status no_slot(const char *job, struct err *err)
{
    return err_set(err, ST_LIMIT,
                   "%d workers of job %s run on this machine already, or tramline init "
                   "--reset is at work; stop one, or name another job by SET job.name",
                   SLOTS_MAX, job);
}

static const char *worker_name(struct arena *arena, const char *host, int number)
{
    AUTO(buf_release) struct buf name = {0};
    text_utf8(&name, str_of(host));
    buf_printf(&name, "/%d/%d", (int)getpid(), number);
    return arena_cstr(arena, buf_as_str(&name));
}

enum status slot_take(const char *directory, const char *job, struct arena *arena,
                      struct slot *ret, struct err *err)
{
    char host[256] = "";
    gethostname(host, sizeof(host) - 1);
    for (int i = 0; i < SLOTS_MAX; i++) {
        int fd = open_lock(directory, i, O_CREAT);
        if (fd < 0)
            return no_lock(directory, err);
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
            *ret = (struct slot){
                .fd = fd,
                .number = i,
                .worker = worker_name(arena, host, i),
            };
            return ST_OK;
        }
        close(fd);
    }
    return no_slot(job, err);
}

enum status slot_check(const char *directory, const char *job, struct err *err)
{
    for (int i = 0; i < SLOTS_MAX; i++) {
        int fd = open_lock(directory, i, 0);
        bool is_new = fd < 0 && errno == ENOENT;
        if (is_new && (access(directory, W_OK | X_OK) == 0 || errno == ENOENT))
            return ST_OK;
        if (fd < 0)
            return no_lock(directory, err);
        bool is_free = flock(fd, LOCK_EX | LOCK_NB) == 0;
        close(fd);
        if (is_free)
            return ST_OK;
    }
    return no_slot(job, err);
}

void slots_release(struct slots *slots)
{
    while (slots->n > 0)
        close(slots->fds[--slots->n]);
}

bool slots_hold(const char *directory, struct slots *ret)
{
    ret->n = 0;
    for (int i = 0; i < SLOTS_MAX; i++) {
        int fd = open_lock(directory, i, O_CREAT);
        if (fd >= 0)
            ret->fds[ret->n++] = fd;
        if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0) {
            slots_release(ret);
            return false;
        }
    }
    return true;
}

void slot_release(struct slot *slot)
{
    if (slot->worker != NULL)
        close(slot->fd);
    *slot = (struct slot){0};
}
