// SPDX-License-Identifier: Apache-2.0
// Files below a directory, reached without following a symbolic link: whoever may write
// there cannot send a call elsewhere, also not by a link that comes between two calls.
// The directory itself may be a link, or behind one: it is the user's word.
//
// By openat2(2), or where the kernel or a sandbox has none, part by part. Paths are as
// storage_path_check wants them. All return -1 with errno; ELOOP: a link is on the way.
#ifndef STORAGE_LOCAL_PATH_H
#define STORAGE_LOCAL_PATH_H

#include <sys/types.h>

#include "base/str.h"

struct local_root {
    const char *path; // absolute; borrowed
    bool has_openat2;
};

// Asks the kernel what it has.
struct local_root local_root_at(const char *path);

// "" is the root. The flags of open(2); close-on-exec goes by itself.
int local_open_below(const struct local_root *root, struct str path, int flags,
                     mode_t mode);

// The directory that a file stands in, and the file's name there.
struct local_place {
    int directory; // -1: none
    char *name;    // owned
};
// Makes missing directories too, each on the disk before the next.
int local_make_place(const struct local_root *root, struct str path,
                     struct local_place *ret);
int local_find_place(const struct local_root *root, struct str path,
                     struct local_place *ret);
void local_place_release(struct local_place *place); // also for AUTO; keeps errno

// mkdir -p, of the root too; each directory that it made is on the disk.
int local_make_directory(const struct local_root *root, struct str path);

#endif
