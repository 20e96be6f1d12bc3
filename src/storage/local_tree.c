// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "storage/local.h"
#include "storage/local_path.h"

int local_rename_exclusive(int from_directory, const char *from, int to_directory,
                           const char *to)
{
    if (renameat2(from_directory, from, to_directory, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    return local_rename_by_link(from_directory, from, to_directory, to);
}

int local_rename_by_link(int from_directory, const char *from, int to_directory,
                         const char *to)
{
    if (linkat(from_directory, from, to_directory, to, 0) != 0)
        return -1;
    return unlinkat(from_directory, from, 0);
}

static int open_directory_at(int parent, const char *name)
{
    return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

// Takes the descriptor over.
static DIR *directory_take(int fd)
{
    if (fd < 0)
        return NULL;
    DIR *dir = fdopendir(fd);
    if (dir == NULL)
        close(fd);
    return dir;
}

static bool is_dot(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int remove_at(int parent, const char *name);

// Removes what a directory holds; what another removed meanwhile is fine.
static int empty_directory(DIR *dir)
{
    errno = 0;
    for (struct dirent *item; (item = readdir(dir)) != NULL; errno = 0) {
        if (is_dot(item->d_name))
            continue;
        if (remove_at(dirfd(dir), item->d_name) != 0 && errno != ENOENT)
            return -1;
    }
    return errno ? -1 : 0;
}

static int remove_directory_at(int parent, const char *name)
{
    DIR *dir = directory_take(open_directory_at(parent, name));
    if (dir == NULL)
        return -1;
    int rc = empty_directory(dir);
    int error = errno;
    closedir(dir);
    errno = error;
    return rc != 0 ? rc : unlinkat(parent, name, AT_REMOVEDIR);
}

// Depth is that of the directories, so the recursion ends.
static int remove_at(int parent, const char *name)
{
    if (unlinkat(parent, name, 0) == 0)
        return 0;
    if (errno != EISDIR && errno != EPERM) // POSIX has EPERM for a directory
        return -1;
    int error = errno;
    struct stat info;
    if (fstatat(parent, name, &info, AT_SYMLINK_NOFOLLOW) != 0)
        return -1;
    if (S_ISDIR(info.st_mode))
        return remove_directory_at(parent, name);
    errno = error;
    return -1;
}

int local_remove_tree(const char *root, struct str path)
{
    const struct local_root below = local_root_at(root);
    struct local_place place AUTO(local_place_release) = {.directory = -1};
    if (local_find_place(&below, path, &place) != 0)
        return -1;
    int rc = remove_at(place.directory, place.name);
    return rc == 0 ? fsync(place.directory) : rc;
}
