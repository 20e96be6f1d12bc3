// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "storage/local.h"

// A directory that hands its group or its access list down would give them to a file that
// is made there, and not to one that is linked there. The spool's directory may hand down
// its own.
static bool hands_down(int directory, int fd, gid_t group)
{
    struct stat info;
    char list[1];
    if (fstat(directory, &info) != 0)
        return true;
    if (group != ((info.st_mode & S_ISGID) ? info.st_gid : getegid()))
        return true;
    return fgetxattr(directory, "system.posix_acl_default", list, 0) > 0 ||
           fgetxattr(fd, "system.posix_acl_access", list, 0) > 0;
}

bool local_link_given(int fd, const struct local_place *place, int64_t size_bytes)
{
    struct stat info;
    char path[64];
    if (fstat(fd, &info) != 0 || info.st_size != size_bytes ||
        hands_down(place->directory, fd, info.st_gid))
        return false;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, path, place->directory, place->name, AT_SYMLINK_FOLLOW) == 0;
}
