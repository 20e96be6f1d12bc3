// SPDX-License-Identifier: Apache-2.0
// For LD_PRELOAD (disk.py builds it): writes down each call that changes what is below a
// directory, before it is made, and ends the process by SIGKILL before the n-th of them.
//   DISK_ROOT  the directory
//   DISK_LOG   a line for each call: its name and paths, by tabs
//   DISK_STORE each new file gets a second name here, the number of its line, so that its
//              bytes can be looked at after it was removed
//   DISK_KILL  n, from 1
//   DISK_STOP  n: SIGSTOP instead
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    TEXT = 4096
};

static int n_calls;

static int is_below_root(const char *path)
{
    const char *root = getenv("DISK_ROOT");
    return root != NULL && strncmp(path, root, strlen(root)) == 0;
}

static void path_of(int fd, char path[TEXT])
{
    char link[64];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, TEXT - 1);
    path[n > 0 ? n : 0] = '\0';
}

// Of a name in an open directory.
static void path_at(int directory, const char *name, char path[2 * TEXT])
{
    char folder[TEXT];
    path_of(directory, folder);
    if (directory == AT_FDCWD || name[0] == '/')
        snprintf(path, 2 * TEXT, "%s", name);
    else
        snprintf(path, 2 * TEXT, "%s/%s", folder, name);
}

// The number of the call, 0: not below the root.
static int note(const char *name, const char *path, const char *to)
{
    static int log = -1;
    const char *kill_at = getenv("DISK_KILL"), *stop_at = getenv("DISK_STOP");
    const char *where = getenv("DISK_LOG");
    char line[5 * TEXT];
    if (!is_below_root(path))
        return 0;
    // Uploads and commits are two threads': a number and its line are taken as one, so
    // that at the death before call n the lines are those of the n - 1 before.
    static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&one);
    int number = ++n_calls;
    if (kill_at != NULL && number == atoi(kill_at))
        kill(getpid(), SIGKILL);
    if (stop_at != NULL && number == atoi(stop_at))
        kill(getpid(), SIGSTOP);
    if (log < 0 && where != NULL)
        log = (int)syscall(SYS_openat, AT_FDCWD, where, O_WRONLY | O_CREAT | O_APPEND,
                           0600);
    int n = snprintf(line, sizeof(line), "%s\t%s\t%s\n", name, path, to);
    if (log >= 0 && syscall(SYS_write, log, line, n) != n)
        abort();
    pthread_mutex_unlock(&one);
    return number;
}

int openat(int directory, const char *name, int flags, ...)
{
    mode_t mode = 0;
    va_list args;
    char path[2 * TEXT];
    va_start(args, flags);
    if (flags & O_CREAT)
        mode = va_arg(args, mode_t);
    va_end(args);
    path_at(directory, name, path);
    int number = flags & O_CREAT ? note("create", path, "") : 0;
    int fd = (int)syscall(SYS_openat, directory, name, flags, mode);
    if (number && fd >= 0 && getenv("DISK_STORE") != NULL) {
        char second[TEXT];
        snprintf(second, sizeof(second), "%s/%d", getenv("DISK_STORE"), number);
        if (link(path, second) != 0)
            perror(path); // another process has removed it
    }
    return fd;
}

ssize_t write(int fd, const void *p, size_t n)
{
    char path[TEXT];
    path_of(fd, path);
    note("write", path, "");
    return syscall(SYS_write, fd, p, n);
}

// Files that got a name by a link: their descriptors do not tell it.
static struct {
    dev_t device;
    ino_t inode;
    char path[2 * TEXT];
} linked[64];
static int n_linked;
static pthread_mutex_t linked_mutex = PTHREAD_MUTEX_INITIALIZER;

static void note_linked(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return;
    pthread_mutex_lock(&linked_mutex);
    int i = n_linked++ % 64;
    linked[i].device = info.st_dev;
    linked[i].inode = info.st_ino;
    snprintf(linked[i].path, sizeof(linked[i].path), "%s", path);
    pthread_mutex_unlock(&linked_mutex);
}

static void linked_path(int fd, char path[2 * TEXT])
{
    struct stat info;
    path_of(fd, path);
    if (fstat(fd, &info) != 0)
        return;
    pthread_mutex_lock(&linked_mutex);
    for (int i = 0; i < 64 && i < n_linked; i++)
        if (linked[i].inode == info.st_ino && linked[i].device == info.st_dev &&
            S_ISREG(info.st_mode))
            snprintf(path, 2 * TEXT, "%s", linked[i].path);
    pthread_mutex_unlock(&linked_mutex);
}

// A file without a name gets one: it is there, whole, and not on the disk before its
// fsync.
int linkat(int from_fd, const char *from, int to_fd, const char *to, int flags)
{
    char path[2 * TEXT];
    path_at(to_fd, to, path);
    int number = note("create", path, "");
    int rc = (int)syscall(SYS_linkat, from_fd, from, to_fd, to, flags);
    if (number && rc == 0) {
        note_linked(path);
        if (getenv("DISK_STORE") != NULL) {
            char second[TEXT];
            snprintf(second, sizeof(second), "%s/%d", getenv("DISK_STORE"), number);
            if (link(path, second) != 0)
                perror(path);
        }
    }
    return rc;
}

int fsync(int fd)
{
    char path[2 * TEXT];
    linked_path(fd, path);
    note("fsync", path, "");
    return (int)syscall(SYS_fsync, fd);
}

static void note_mkdir(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0) // else it changes nothing
        note("mkdir", path, "");
}

int mkdir(const char *path, mode_t mode)
{
    note_mkdir(path);
    return (int)syscall(SYS_mkdir, path, mode);
}

int mkdirat(int directory, const char *name, mode_t mode)
{
    char path[2 * TEXT];
    path_at(directory, name, path);
    note_mkdir(path);
    return (int)syscall(SYS_mkdirat, directory, name, mode);
}

static void note_rename(int from_fd, const char *from, int to_fd, const char *to)
{
    char source[2 * TEXT], target[2 * TEXT];
    path_at(from_fd, from, source);
    path_at(to_fd, to, target);
    note("rename", source, target);
}

int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
    note_rename(from_fd, from, to_fd, to);
    return (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, flags);
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
    note_rename(from_fd, from, to_fd, to);
    return (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, 0);
}

int unlinkat(int directory, const char *name, int flags)
{
    char path[2 * TEXT];
    path_at(directory, name, path);
    note("remove", path, "");
    return (int)syscall(SYS_unlinkat, directory, name, flags);
}
