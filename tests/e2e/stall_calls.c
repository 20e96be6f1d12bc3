// SPDX-License-Identifier: Apache-2.0
// For LD_PRELOAD: a file system that does not answer. The first call STALL_CALL of a path
// that holds STALL_PATH makes the file STALL_MARK and never comes back.
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void stall(const char *call, const char *path)
{
    const char *name = getenv("STALL_CALL"), *part = getenv("STALL_PATH");
    const char *mark = getenv("STALL_MARK");
    if (!name || !part || !mark || strcmp(name, call) != 0 || strstr(path, part) == NULL)
        return;
    long fd = syscall(SYS_openat, AT_FDCWD, mark, O_WRONLY | O_CREAT, 0600);
    syscall(SYS_close, fd);
    for (;;)
        pause();
}

static void stall_fd(const char *call, int fd)
{
    char link[64], path[4096];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof(path) - 1);
    path[n > 0 ? n : 0] = '\0';
    stall(call, path);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define OPEN(name)                             \
    int name(const char *path, int flags, ...) \
    {                                          \
        va_list list;                          \
        va_start(list, flags);                 \
        mode_t mode = va_arg(list, mode_t);    \
        va_end(list);                          \
        stall("open", path);                   \
        return NEXT(name)(path, flags, mode);  \
    }
OPEN(open)
OPEN(open64)

#define PREAD(name)                                       \
    ssize_t name(int fd, void *p, size_t n, off_t offset) \
    {                                                     \
        stall_fd("pread", fd);                            \
        return NEXT(name)(fd, p, n, offset);              \
    }
PREAD(pread)
PREAD(pread64)

ssize_t __pread_chk(int fd, void *p, size_t n, off_t offset, size_t room);
ssize_t __pread_chk(int fd, void *p, size_t n, off_t offset, size_t room)
{
    (void)room;
    return pread(fd, p, n, offset);
}

FILE *fopen(const char *path, const char *mode)
{
    stall("open", path);
    return NEXT(fopen)(path, mode);
}

ssize_t write(int fd, const void *p, size_t n)
{
    stall_fd("write", fd);
    return NEXT(write)(fd, p, n);
}

int fsync(int fd)
{
    stall_fd("fsync", fd);
    return NEXT(fsync)(fd);
}

static void stall_below(const char *call, int fd, const char *name)
{
    char link[64], path[8192];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, 4095);
    n = n > 0 ? n : 0;
    snprintf(path + n, sizeof(path) - (size_t)n, "/%s", name);
    stall(call, path);
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
    stall_below("rename", to_fd, to);
    return NEXT(renameat)(from_fd, from, to_fd, to);
}

int renameat2(int from_fd, const char *from, int to_fd, const char *to,
              unsigned int flags)
{
    stall_below("publish", to_fd, to);
    return NEXT(renameat2)(from_fd, from, to_fd, to, flags);
}

int mkdirat(int fd, const char *name, mode_t mode)
{
    stall_below("mkdir", fd, name);
    return NEXT(mkdirat)(fd, name, mode);
}

int mkdir(const char *path, mode_t mode)
{
    stall("mkdir", path);
    return NEXT(mkdir)(path, mode);
}

int stat(const char *restrict path, struct stat *restrict ret)
{
    stall("stat", path);
    return NEXT(stat)(path, ret);
}

DIR *fdopendir(int fd)
{
    stall_fd("fdopendir", fd);
    return NEXT(fdopendir)(fd);
}
