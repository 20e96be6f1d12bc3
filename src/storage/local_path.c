// SPDX-License-Identifier: Apache-2.0
#include "storage/local_path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "storage/path.h"

enum {
    TRIES_MAX = 100 // openat2 says EAGAIN when something is renamed just then
};

static int close_keeping_errno(int fd)
{
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static int open_by_openat2(int root, const char *path, int flags, mode_t mode)
{
    struct open_how how = {
        .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
        .mode = mode,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
    };
    long fd = -1;
    for (int i = 0; i < TRIES_MAX && fd < 0 && (i == 0 || errno == EAGAIN); i++)
        fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
    return (int)fd;
}

struct local_root local_root_at(const char *path)
{
    int fd = open_by_openat2(AT_FDCWD, ".", O_PATH | O_DIRECTORY, 0);
    bool has_it = fd >= 0 || (errno != ENOSYS && errno != EPERM && errno != EINVAL);
    if (fd >= 0)
        close(fd);
    return (struct local_root){path, has_it};
}

static bool is_link(int directory, const char *name)
{
    struct stat info;
    return fstatat(directory, name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISLNK(info.st_mode);
}

// One part of a path. O_DIRECTORY makes ENOTDIR of a link, O_PATH opens the link itself.
static int open_part(int directory, const char *name, int flags, mode_t mode)
{
    int fd = openat(directory, name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0 && errno == ENOTDIR && is_link(directory, name))
        errno = ELOOP;
    return fd;
}

// Takes the descriptor over.
static int open_part_of(int directory, struct str part, int flags, mode_t mode)
{
    AUTO(mem_auto_free) char *name = mem_strndup(part.p, part.n);
    int fd = open_part(directory, name, flags, mode);
    close_keeping_errno(directory);
    return fd;
}

static int open_by_parts(int root, struct str path, int flags, mode_t mode)
{
    int fd = fcntl(root, F_DUPFD_CLOEXEC, 0);
    struct str rest = path;
    struct str part = str_cut(&rest, '/');
    while (fd >= 0 && rest.p != NULL) {
        fd = open_part_of(fd, part, O_PATH | O_DIRECTORY, 0);
        part = str_cut(&rest, '/');
    }
    return fd < 0 ? -1 : open_part_of(fd, part, flags, mode);
}

int local_open_below(const struct local_root *root, struct str path, int flags,
                     mode_t mode)
{
    if (path.n == 0)
        return open(root->path, flags | O_CLOEXEC, mode);
    int directory = open(root->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return -1;
    AUTO(mem_auto_free) char *text = mem_strndup(path.p, path.n);
    int fd = root->has_openat2 ? open_by_openat2(directory, text, flags, mode)
                               : open_by_parts(directory, path, flags, mode);
    close_keeping_errno(directory);
    return fd;
}

static struct local_place place_of(int directory, struct str path)
{
    struct str name = storage_path_name(path);
    return (struct local_place){directory, mem_strndup(name.p, name.n)};
}

int local_find_place(const struct local_root *root, struct str path,
                     struct local_place *ret)
{
    int fd = local_open_below(root, storage_path_parent(path), O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return -1;
    *ret = place_of(fd, path);
    return 0;
}

void local_place_release(struct local_place *place)
{
    if (place->directory >= 0)
        close_keeping_errno(place->directory);
    free(place->name);
    *place = (struct local_place){.directory = -1};
}

static int sync_fd(int fd)
{
    int rc = fsync(fd);
    return rc != 0 && errno == EINVAL ? 0 : rc; // a file system without it
}

static int sync_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int rc = sync_fd(fd);
    close_keeping_errno(fd);
    return rc;
}

static char *parent_of(const char *path)
{
    struct str parent = storage_path_parent(str_of(path));
    return parent.n ? mem_strndup(parent.p, parent.n) : mem_strdup("/");
}

static int sync_parent(const char *path)
{
    AUTO(mem_auto_free) char *parent = parent_of(path);
    return sync_directory(parent);
}

// A parent that cannot be read is not ours: it has been there for long.
static int found_is_synced(int rc)
{
    return rc == 0 || errno == EACCES ? 0 : -1;
}

static int check_directory(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return -1;
    errno = ENOTDIR;
    return S_ISDIR(info.st_mode) ? 0 : -1;
}

// The root itself, with its parents. Recursion is over the parts of the path.
static int make_root(const char *path)
{
    if (mkdir(path, 0750) == 0)
        return sync_parent(path);
    if (errno == EEXIST)
        return check_directory(path) == 0 ? found_is_synced(sync_parent(path)) : -1;
    if (errno != ENOENT)
        return -1;
    AUTO(mem_auto_free) char *parent = parent_of(path);
    if (make_root(parent) != 0)
        return -1;
    if (mkdir(path, 0750) != 0 && errno != EEXIST)
        return -1;
    return sync_parent(path);
}

// Makes one part of a path if it is missing, and goes into it.
static int make_part(int directory, struct str part)
{
    AUTO(mem_auto_free) char *name = mem_strndup(part.p, part.n);
    if (mkdirat(directory, name, 0750) != 0 && errno != EEXIST)
        return close_keeping_errno(directory);
    int fd = sync_fd(directory); // whoever made it may be about to do that
    if (fd == 0)
        fd = open_part(directory, name, O_RDONLY | O_DIRECTORY, 0);
    close_keeping_errno(directory);
    return fd;
}

static int open_root(const struct local_root *root)
{
    return open(root->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

// The directory with that path, made where it was missing.
static int open_made(const struct local_root *root, struct str path)
{
    int fd = open_root(root);
    if (fd < 0 && errno == ENOENT && make_root(root->path) == 0)
        fd = open_root(root);
    struct str rest = path;
    while (fd >= 0 && rest.p != NULL && rest.n > 0)
        fd = make_part(fd, str_cut(&rest, '/'));
    return fd;
}

int local_make_directory(const struct local_root *root, struct str path)
{
    if (path.n == 0)
        return make_root(root->path);
    int fd = open_made(root, path);
    if (fd < 0)
        return -1;
    close(fd);
    return 0;
}

int local_make_place(const struct local_root *root, struct str path,
                     struct local_place *ret)
{
    if (local_find_place(root, path, ret) == 0)
        return 0;
    if (errno != ENOENT)
        return -1;
    int fd = open_made(root, storage_path_parent(path));
    if (fd < 0)
        return -1;
    *ret = place_of(fd, path);
    return 0;
}
