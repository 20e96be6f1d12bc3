// SPDX-License-Identifier: Apache-2.0
#include "storage/path.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool is_good_part(struct str part)
{
    return part.n > 0 && !str_is(part, ".") && !str_is(part, "..");
}

bool storage_name_is_good(struct str name)
{
    return is_good_part(name) && memchr(name.p, '/', name.n) == NULL &&
           memchr(name.p, '\0', name.n) == NULL;
}

static bool is_good_path(struct str path)
{
    if (memchr(path.p, '\0', path.n) != NULL)
        return false;
    struct str rest = path;
    while (rest.p != NULL)
        if (!is_good_part(str_cut(&rest, '/')))
            return false;
    return true;
}

enum status storage_path_check(const struct storage *storage, struct str path,
                               bool root_too, struct err *err)
{
    if (path.n == 0 && root_too)
        return ST_OK;
    if (path.n > 0 && is_good_path(path))
        return ST_OK;
    return err_set(err, ST_DATA, "%s: '%.*s' is not a path inside this directory",
                   storage->url, STR_ARGS(path));
}

enum status storage_paths_check(const struct storage *storage, struct str from,
                                struct str to, struct err *err)
{
    TRY(storage_path_check(storage, from, false, err));
    return storage_path_check(storage, to, false, err);
}

char *storage_path_join(const char *root, struct str path)
{
    if (path.n > 0)
        return mem_printf("%s/%.*s", root, STR_ARGS(path));
    return mem_strdup(root[0] != '\0' ? root : "/");
}

struct str storage_path_parent(struct str path)
{
    const char *slash = path.n ? memrchr(path.p, '/', path.n) : NULL;
    return (struct str){path.p, slash ? (size_t)(slash - path.p) : 0};
}

struct str storage_path_name(struct str path)
{
    const char *slash = path.n ? memrchr(path.p, '/', path.n) : NULL;
    if (slash == NULL)
        return path;
    return (struct str){slash + 1, (size_t)(path.p + path.n - slash - 1)};
}

static int compare_names(const void *a, const void *b)
{
    const struct file_info *x = a;
    const struct file_info *y = b;
    return str_compare(x->name, y->name);
}

void file_list_sort(struct file_list *list)
{
    if (list->n > 1)
        qsort(list->items, list->n, sizeof(*list->items), compare_names);
}

void file_list_copy(const struct file_list *list, struct arena *arena,
                    struct file_list *ret)
{
    ret->n = list->n;
    ret->items = arena_array(arena, list->n, sizeof(*list->items));
    if (list->n)
        memcpy(ret->items, list->items, list->n * sizeof(*list->items));
}

void local_user(char ret[USER_NAME_MAX])
{
    struct passwd entry;
    struct passwd *found = NULL;
    char text[4096];
    uid_t uid = geteuid();
    if (getpwuid_r(uid, &entry, text, sizeof(text), &found) == 0 && found != NULL)
        snprintf(ret, USER_NAME_MAX, "%s", found->pw_name);
    else
        snprintf(ret, USER_NAME_MAX, "%u", (unsigned)uid);
}

void storage_user(const char *configured, char ret[USER_NAME_MAX])
{
    const char *name = configured;
    if (name == NULL || name[0] == '\0')
        name = getenv("HADOOP_USER_NAME");
    if (name == NULL || name[0] == '\0')
        local_user(ret);
    else
        snprintf(ret, USER_NAME_MAX, "%s", name);
}
