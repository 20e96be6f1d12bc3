// SPDX-License-Identifier: Apache-2.0
// Storage in a local directory. Promises exclusive and durable: ST_OK says that the file
// and the directories above it are on the disk (fsync). No symbolic link below the root
// is followed (local_path.h). Full disks are ST_RETRY, as room may be made.
#ifndef STORAGE_LOCAL_H
#define STORAGE_LOCAL_H

#include "core/storage.h"
#include "storage/local_path.h"
#include "storage/scheme.h"

extern const struct storage_scheme storage_local_scheme; // file:///directory

// The two ways to rename exclusively; 0, or -1 with errno. The second is for file systems
// that do not have the first (EINVAL): a crash within it leaves both names.
int local_rename_exclusive(int from_directory, const char *from, int to_directory,
                           const char *to);
int local_rename_by_link(int from_directory, const char *from, int to_directory,
                         const char *to);

// Gives a file without a name (core/storage.h) that place; false: it cannot be, since it
// lies in another file system, the name is taken, or a file made there would have another
// group or access list. /proc is needed, too.
bool local_link_given(int fd, const struct local_place *place, int64_t size_bytes);

// Removes what has this path below the directory `root`, and all that is in it, without
// following a symbolic link. 0, or -1 with errno (ELOOP: a link on the way).
int local_remove_tree(const char *root, struct str path);

#endif
