// SPDX-License-Identifier: Apache-2.0
#include "job/slot.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "core/env.h"

enum {
    LOCK_TRIES = 100,
    MEMBER_MAX = 249 // bytes that Kafka takes
};

struct lock_path {
    char text[4096];
};

static struct lock_path lock_path(const char *directory, int number)
{
    struct lock_path path;
    snprintf(path.text, sizeof(path.text), "%s/slot-%d.lock", directory, number);
    return path;
}

// An earlier holder of the lock may have removed the file since it was opened: then it is
// nobody's, and another one may stand there.
static bool is_in_place(int fd, const char *path)
{
    struct stat opened, there;
    return fstat(fd, &opened) == 0 && stat(path, &there) == 0 &&
           opened.st_ino == there.st_ino && opened.st_dev == there.st_dev;
}

// The locked file, or -1 with errno: EWOULDBLOCK when another process has the lock.
static int take_lock(const char *directory, int number)
{
    struct lock_path path = lock_path(directory, number);
    for (int i = 0; i < LOCK_TRIES; i++) {
        int fd = open(path.text, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0 && errno == ENOENT && (mkdir(directory, 0700) == 0 || errno == EEXIST))
            continue; // the last one that left took the folder along
        if (fd < 0)
            return -1;
        if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
            close(fd);
            errno = EWOULDBLOCK;
            return -1;
        }
        if (is_in_place(fd, path.text))
            return fd;
        close(fd);
    }
    errno = EWOULDBLOCK;
    return -1;
}

static void give_lock_back(int fd, const char *directory, int number)
{
    struct lock_path path = lock_path(directory, number);
    unlink(path.text); // while it is ours
    close(fd);
}

static enum status no_lock(const char *directory, struct err *err)
{
    return err_set(err, ST_FAIL, "spool: cannot make a lock file in %s: %s; %s",
                   directory, strerror(errno),
                   errno == EMFILE ? "raise the limit of open files (ulimit -n)"
                                   : "give another directory by SET spool = '...'");
}

static enum status no_slot(const char *job, struct err *err)
{
    return err_set(err, ST_LIMIT,
                   "%d workers of job %s run on this machine already, or tramline init "
                   "--reset is at work; stop one, or name another job by SET job.name",
                   SLOTS_MAX, job);
}

static const char *worker_name(struct arena *arena, const char *instance, int number)
{
    char host[256] = "";
    gethostname(host, sizeof(host) - 1);
    AUTO(buf_release) struct buf name = {0};
    text_utf8(&name, str_of(host));
    if (instance != NULL)
        buf_printf(&name, "/%s", instance);
    else
        buf_printf(&name, "/%d/%d", (int)getpid(), number);
    return arena_cstr(arena, buf_as_str(&name));
}

// A name that a crash left in the file, or a new one; NULL: it cannot be kept.
static const char *kept_name(struct arena *arena, int fd, bool *ret_left)
{
    char name[UUID_TEXT];
    ssize_t n = pread(fd, name, sizeof(name), 0);
    *ret_left = n == UUID_TEXT - 1 && env_is_uuid((struct str){name, UUID_TEXT - 1});
    if (*ret_left)
        return arena_cstr(arena, (struct str){name, UUID_TEXT - 1});
    env_uuid(env_system(), name);
    if (ftruncate(fd, 0) != 0 || pwrite(fd, name, UUID_TEXT - 1, 0) != UUID_TEXT - 1)
        return NULL;
    return arena_cstr(arena, str_of(name));
}

static const char *own_name(struct arena *arena, const char *instance)
{
    char host[256] = "";
    gethostname(host, sizeof(host) - 1);
    AUTO(buf_release) struct buf name = {0};
    buf_printf(&name, "%s_%s", host, instance);
    for (size_t i = 0; i < name.n; i++)
        if (!isalnum((unsigned char)name.p[i]) && strchr("._-", name.p[i]) == NULL)
            name.p[i] = '_';
    struct str text = buf_as_str(&name);
    text.n = text.n < MEMBER_MAX ? text.n : MEMBER_MAX;
    return arena_cstr(arena, text);
}

enum status slot_take(const char *directory, const char *job, const char *instance,
                      struct arena *arena, struct slot *ret, struct err *err)
{
    for (int i = 0; i < SLOTS_MAX; i++) {
        int fd = take_lock(directory, i);
        if (fd < 0 && errno == EWOULDBLOCK)
            continue;
        if (fd < 0)
            return no_lock(directory, err);
        *ret = (struct slot){
            .directory = arena_cstr(arena, str_of(directory)),
            .fd = fd,
            .number = i,
            .worker = worker_name(arena, instance, i),
        };
        ret->kept = kept_name(arena, fd, &ret->is_left);
        ret->member = instance ? own_name(arena, instance) : ret->kept;
        return ST_OK;
    }
    return no_slot(job, err);
}

enum status slot_check(const char *directory, const char *job, struct err *err)
{
    for (int i = 0; i < SLOTS_MAX; i++) {
        struct lock_path path = lock_path(directory, i);
        int fd = open(path.text, O_RDWR | O_CLOEXEC);
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

// The folder goes with the last lock in it; rmdir() leaves one that is in use.
void slot_release(struct slot *slot)
{
    if (slot->worker != NULL) {
        give_lock_back(slot->fd, slot->directory, slot->number);
        rmdir(slot->directory);
    }
    *slot = (struct slot){0};
}

void slots_release(struct slots *slots, const char *directory)
{
    while (slots->n > 0) {
        slots->n--;
        give_lock_back(slots->fds[slots->n], directory, slots->n);
    }
    rmdir(directory);
}

bool slots_hold(const char *directory, struct slots *ret)
{
    ret->n = 0;
    for (int i = 0; i < SLOTS_MAX; i++) {
        int fd = take_lock(directory, i);
        if (fd < 0) {
            slots_release(ret, directory);
            return false;
        }
        ret->fds[ret->n++] = fd;
    }
    return true;
}
