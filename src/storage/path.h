// SPDX-License-Identifier: Apache-2.0
// Small things that all storages share: paths, sorted lists, the user's name. Any thread.
#ifndef STORAGE_PATH_H
#define STORAGE_PATH_H

#include "core/storage.h"

// Whether it can be one part of a path: not empty, no '/' and no NUL byte, not "." or
// "..".
bool storage_name_is_good(struct str name);

// ST_DATA unless `path` is as the port demands: relative, no empty part, no "." or "..",
// no NUL byte. The empty path, the root, is fine if `root_too`.
enum status storage_path_check(const struct storage *storage, struct str path,
                               bool root_too, struct err *err);
// Both must name something below the root.
enum status storage_paths_check(const struct storage *storage, struct str from,
                                struct str to, struct err *err);

// "root/path"; the root itself for ""; "/" when both are empty. The caller frees it.
char *storage_path_join(const char *root, struct str path);
// What stands before the last '/'; "" when there is none.
struct str storage_path_parent(struct str path);
// What stands after the last '/'.
struct str storage_path_name(struct str path);

// By the bytes of the names, as the port demands.
void file_list_sort(struct file_list *list);
// The items, copied into the arena; their names are there already.
void file_list_copy(const struct file_list *list, struct arena *arena,
                    struct file_list *ret);

enum {
    USER_NAME_MAX = 256
};
// `configured` unless it is NULL or "", else $HADOOP_USER_NAME, else who runs this.
void storage_user(const char *configured, char ret[USER_NAME_MAX]);
// The user who runs this, by name, or by number when it has none.
void local_user(char ret[USER_NAME_MAX]);

#endif
