// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

const char *file_is_no_file(const struct stat *info)
{
    switch (info->st_mode & S_IFMT) {
    case S_IFREG:
        return NULL;
    case S_IFDIR:
        return "a directory, not a file";
    case S_IFIFO:
        return "a named pipe, not a file";
    case S_IFSOCK:
        return "a socket, not a file";
    default:
        return "a device, not a file";
    }
}

static const char *refuse(const struct stat *info, const char *why)
{
    errno = S_ISDIR(info->st_mode) ? EISDIR : EINVAL;
    return why;
}

// Looked at before, as opening a device may do something, and afterwards, as the name may
// stand for something else by then. O_NONBLOCK changes nothing for a plain file.
const char *file_open(const char *path, int *ret_fd, int64_t *ret_size)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return strerror(errno);
    const char *why = file_is_no_file(&info);
    if (why != NULL)
        return refuse(&info, why);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return strerror(errno);
    why = fstat(fd, &info) == 0 ? file_is_no_file(&info) : strerror(errno);
    if (why != NULL) {
        close(fd);
        return refuse(&info, why);
    }
    *ret_fd = fd;
    *ret_size = info.st_size;
    return NULL;
}

int file_open_temporary(const char **ret_directory)
{
    const char *set = getenv("TMPDIR");
    *ret_directory = set && set[0] ? set : "/tmp";
    AUTO(mem_auto_free) char *path = mem_printf("%s/tramline-XXXXXX", *ret_directory);
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}
