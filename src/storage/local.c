// SPDX-License-Identifier: Apache-2.0
#include "storage/local.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "core/env.h"
#include "storage/local_path.h"
#include "storage/path.h"

enum {
    PIECE_BYTES = 256 << 10
};

struct local {
    struct storage storage;
    char *path; // absolute; "" for "/"
    struct local_root root;
};

static const struct local_root *root_of(const struct storage *storage)
{
    return &((const struct local *)storage)->root;
}

static char *full_path(const struct storage *storage, struct str path)
{
    return storage_path_join(((const struct local *)storage)->path, path);
}

static enum status status_of_errno(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOTEMPTY: // another writes where we remove
        return ST_RETRY;
    default:
        return ST_FAIL;
    }
}

// What the user can do, with "; " in front, or "".
static const char *way_out(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT:
        return "; make room there";
    case EROFS:
        return "; mount it for writing or choose another path";
    case EMFILE:
    case ENFILE:
        return "; raise the limit of open files (ulimit -n)";
    case EISDIR:
        return "; a file is needed there";
    case ENOTDIR:
        return "; a directory is needed there";
    case EXDEV:
        return "; the whole directory must lie in one file system";
    default:
        return "";
    }
}

// Reports errno for a path.
static enum status fail(const char *path, const char *verb, int error, struct err *err)
{
    if (error == EEXIST)
        return err_set(err, ST_EXISTS, "%s: is there already", path);
    if (error == ENOENT)
        return err_set(err, ST_NOT_FOUND, "%s: is not there", path);
    if (error == EACCES || error == EPERM) {
        char user[USER_NAME_MAX];
        local_user(user);
        return err_set(
            err, ST_FAIL,
            "%s: cannot %s: %s; give user '%s' the right or choose another path", path,
            verb, strerror(error), user);
    }
    if (error == ELOOP)
        return err_set(err, ST_FAIL,
                       "%s: cannot %s: a symbolic link is on the way, and inside a "
                       "directory of tables or results none is followed; put the file "
                       "itself there, or let the whole directory be the link",
                       path, verb);
    return err_set(err, status_of_errno(error), "%s: cannot %s: %s%s", path, verb,
                   strerror(error), way_out(error));
}

// Long files end where the deadline is over; what fits one piece is done all the same.
static enum status check_time(const struct storage *storage, const char *path,
                              int64_t n_done, struct err *err)
{
    struct env *env = env_system();
    if (n_done < PIECE_BYTES ||
        !deadline_is_over(storage->deadline, env->ops->monotonic_ms(env)))
        return ST_OK;
    return err_set(err, ST_RETRY, "%s: no time was left after %lld bytes", path,
                   (long long)n_done);
}

// Puts a directory on the disk.
static int sync_place(const struct local_place *place)
{
    int rc = fsync(place->directory);
    return rc != 0 && errno == EINVAL ? 0 : rc; // a file system without it
}

static enum status local_mkdir(struct storage *storage, struct str path, struct err *err)
{
    TRY(storage_path_check(storage, path, true, err));
    AUTO(mem_auto_free) char *full = full_path(storage, path);
    if (local_make_directory(root_of(storage), path) != 0)
        return fail(full, "make the directory", errno, err);
    return ST_OK;
}

static int write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -1;
        p += done;
        n -= (size_t)done;
    }
    return 0;
}

static enum status copy_reader(const struct storage *storage, int fd, const char *path,
                               struct reader *reader, int64_t size_bytes, struct err *err)
{
    AUTO(mem_auto_free) char *piece = mem_alloc(PIECE_BYTES);
    int64_t total = 0;
    for (size_t n = 1; n > 0 && total <= size_bytes;) {
        TRY(check_time(storage, path, total, err));
        TRY(reader->read(reader, piece, PIECE_BYTES, &n, err));
        if (write_all(fd, piece, n) != 0)
            return fail(path, "write", errno, err);
        total += (int64_t)n;
    }
    if (total > size_bytes)
        return err_set(err, ST_FAIL, "%s: %lld bytes were promised and more came", path,
                       (long long)size_bytes);
    if (total != size_bytes)
        return err_set(err, ST_FAIL, "%s: %lld bytes were promised and %lld came", path,
                       (long long)size_bytes, (long long)total);
    return ST_OK;
}

// Whether the path still leads to the file: its directory may have been removed or moved.
static int check_still_there(const struct local_root *root, struct str path, int fd)
{
    struct stat ours, found;
    int again = local_open_below(root, path, O_PATH, 0);
    if (again < 0)
        return -1;
    int error = fstat(fd, &ours) != 0 || fstat(again, &found) != 0 ? errno : 0;
    close(again);
    if (error == 0 && (ours.st_ino != found.st_ino || ours.st_dev != found.st_dev))
        error = ENOENT;
    errno = error;
    return error == 0 ? 0 : -1;
}

// A file being written, and where.
struct writing {
    const struct storage *storage;
    const struct local_root *root;
    struct str path;
    const char *full; // for messages
    struct local_place place;
};

static enum status settle(int fd, const struct writing *writing, struct err *err)
{
    if (fsync(fd) != 0 || sync_place(&writing->place) != 0 ||
        check_still_there(writing->root, writing->path, fd) != 0)
        return fail(writing->full, "write", errno, err);
    return ST_OK;
}

static enum status fill(int fd, const struct writing *writing, struct reader *reader,
                        int64_t size_bytes, struct err *err)
{
    TRY(copy_reader(writing->storage, fd, writing->full, reader, size_bytes, err));
    return settle(fd, writing, err);
}

// A file that was given gets the name, where it would be the same as one made there.
static enum status take_file(struct writing *writing, struct given_file *given,
                             int64_t size_bytes, struct err *err)
{
    const struct local_place *place = &writing->place;
    if (given == NULL || !local_link_given(given->fd, place, size_bytes))
        return ST_OK;
    enum status rc = settle(given->fd, writing, err);
    given->is_taken = rc == ST_OK;
    if (rc != ST_OK)
        unlinkat(place->directory, place->name, 0); // it is ours: linked exclusively
    return rc;
}

static enum status write_file(struct writing *writing, struct reader *reader,
                              int64_t size_bytes, struct err *err)
{
    const struct local_place *place = &writing->place;
    if (local_make_place(writing->root, writing->path, &writing->place) != 0)
        return fail(writing->full, "write", errno, err);
    TRY(take_file(writing, reader->given, size_bytes, err));
    if (reader->given != NULL && reader->given->is_taken)
        return ST_OK;
    int fd = openat(place->directory, place->name,
                    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd < 0)
        return fail(writing->full, "write", errno, err);
    enum status rc = fill(fd, writing, reader, size_bytes, err);
    if (close(fd) != 0 && rc == ST_OK)
        rc = fail(writing->full, "write", errno, err);
    if (rc != ST_OK)
        unlinkat(place->directory, place->name, 0); // it is ours: made exclusively
    return rc;
}

static enum status local_write(struct storage *storage, struct str path,
                               struct reader *reader, int64_t size_bytes, struct err *err)
{
    TRY(storage_path_check(storage, path, false, err));
    AUTO(mem_auto_free) char *full = full_path(storage, path);
    struct writing writing = {storage, root_of(storage), path, full, {.directory = -1}};
    enum status rc = write_file(&writing, reader, size_bytes, err);
    local_place_release(&writing.place);
    if (rc == ST_NOT_FOUND)
        return err_set(err, ST_RETRY, "%s: was removed while it was written", full);
    return rc;
}

// What is renamed is a file of ours. A link to one elsewhere would be read by others.
static int check_source(const struct local_place *from)
{
    struct stat info;
    if (fstatat(from->directory, from->name, &info, AT_SYMLINK_NOFOLLOW) != 0)
        return -1;
    errno = ELOOP;
    return S_ISLNK(info.st_mode) ? -1 : 0;
}

static int rename_over(int from_directory, const char *from, int to_directory,
                       const char *to)
{
    return renameat(from_directory, from, to_directory, to);
}

typedef int rename_fn(int from_directory, const char *from, int to_directory,
                      const char *to);

struct renaming {
    rename_fn *rename;
    struct local_place from, to;
    const char *source, *target; // in full, for messages
};

static enum status fail_source(const char *source, struct err *err)
{
    if (errno == ENOENT)
        return err_set(err, ST_NOT_FOUND, "%s: is not there, cannot be renamed", source);
    return fail(source, "rename it", errno, err);
}

static enum status fail_target(const char *target, struct err *err)
{
    if (errno == ENOENT)
        return err_set(err, ST_NOT_FOUND,
                       "%s: cannot rename to it: its directory is missing", target);
    return fail(target, "rename to it", errno, err);
}

static enum status rename_at(struct renaming *renaming, const struct local_root *root,
                             struct str from, struct str to, struct err *err)
{
    const struct local_place *old = &renaming->from, *new = &renaming->to;
    if (local_find_place(root, from, &renaming->from) != 0 || check_source(old) != 0)
        return fail_source(renaming->source, err);
    if (local_find_place(root, to, &renaming->to) != 0)
        return fail_target(renaming->target, err);
    if (renaming->rename(old->directory, old->name, new->directory, new->name) == 0)
        return ST_OK;
    int error = errno;
    if (error == ENOENT && check_source(old) != 0)
        return fail_source(renaming->source, err);
    errno = error;
    return fail_target(renaming->target, err);
}

static enum status sync_renamed(const struct renaming *renaming, struct err *err)
{
    if (sync_place(&renaming->to) == 0 && sync_place(&renaming->from) == 0)
        return ST_OK;
    return err_set(err, ST_UNKNOWN, "%s: renamed, but perhaps not yet on the disk: %s",
                   renaming->target, strerror(errno));
}

static enum status rename_with(rename_fn *rename_file, struct storage *storage,
                               struct str from, struct str to, struct err *err)
{
    TRY(storage_paths_check(storage, from, to, err));
    AUTO(mem_auto_free) char *source = full_path(storage, from);
    AUTO(mem_auto_free) char *target = full_path(storage, to);
    struct renaming renaming = {
        rename_file, {.directory = -1}, {.directory = -1}, source, target};
    enum status rc = rename_at(&renaming, root_of(storage), from, to, err);
    if (rc == ST_OK)
        rc = sync_renamed(&renaming, err);
    local_place_release(&renaming.from);
    local_place_release(&renaming.to);
    return rc;
}

static enum status local_publish(struct storage *storage, struct str from, struct str to,
                                 struct err *err)
{
    return rename_with(local_rename_exclusive, storage, from, to, err);
}

static enum status local_replace(struct storage *storage, struct str from, struct str to,
                                 struct err *err)
{
    return rename_with(rename_over, storage, from, to, err);
}

static void set_info(const struct stat *from, struct file_info *ret)
{
    ret->is_directory = S_ISDIR(from->st_mode);
    ret->size = ret->is_directory ? 0 : (int64_t)from->st_size;
    ret->modified_ms =
        (int64_t)from->st_mtim.tv_sec * 1000 + from->st_mtim.tv_nsec / 1000000;
}

static int look_at(const struct local_root *root, struct str path, struct stat *ret)
{
    int fd = local_open_below(root, path, O_PATH, 0);
    if (fd < 0)
        return -1;
    int error = fstat(fd, ret) != 0 ? errno : S_ISLNK(ret->st_mode) ? ELOOP : 0;
    close(fd);
    errno = error;
    return error == 0 ? 0 : -1;
}

static enum status local_stat(struct storage *storage, struct str path,
                              struct file_info *ret, struct err *err)
{
    TRY(storage_path_check(storage, path, true, err));
    AUTO(mem_auto_free) char *full = full_path(storage, path);
    struct stat info;
    if (look_at(root_of(storage), path, &info) != 0)
        return fail(full, "look at it", errno, err);
    *ret = (struct file_info){0};
    set_info(&info, ret);
    return ST_OK;
}

// Adds an item to the list unless it has gone meanwhile.
static enum status list_add(DIR *dir, const char *name, struct arena *arena,
                            struct file_list *list, size_t *capacity, struct err *err)
{
    struct stat info;
    if (fstatat(dirfd(dir), name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT)
            return ST_OK;
        return fail(name, "look at it", errno, err);
    }
    MEM_GROW(list->items, list->n, *capacity);
    struct file_info *item = &list->items[list->n++];
    *item = (struct file_info){.name = arena_str(arena, str_of(name))};
    set_info(&info, item);
    return ST_OK;
}

static enum status read_directory(DIR *dir, const char *full, struct arena *arena,
                                  struct file_list *list, struct err *err)
{
    size_t capacity = 0;
    errno = 0;
    for (struct dirent *item; (item = readdir(dir)) != NULL; errno = 0)
        if (strcmp(item->d_name, ".") != 0 && strcmp(item->d_name, "..") != 0)
            TRY(list_add(dir, item->d_name, arena, list, &capacity, err));
    if (errno != 0)
        return fail(full, "list", errno, err);
    return ST_OK;
}

static enum status local_list(struct storage *storage, struct str path,
                              struct arena *arena, struct file_list *ret, struct err *err)
{
    TRY(storage_path_check(storage, path, true, err));
    AUTO(mem_auto_free) char *full = full_path(storage, path);
    int fd = local_open_below(root_of(storage), path, O_RDONLY | O_DIRECTORY, 0);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL) {
        int error = errno;
        if (fd >= 0)
            close(fd);
        return fail(full, "list", error, err);
    }
    struct file_list list = {0};
    enum status rc = read_directory(dir, full, arena, &list, err);
    closedir(dir);
    if (rc == ST_OK) {
        file_list_sort(&list);
        file_list_copy(&list, arena, ret);
    }
    free(list.items);
    return rc;
}

static enum status open_file(const struct storage *storage, struct str name,
                             const char *path, int *ret, int64_t *ret_size,
                             struct err *err)
{
    // A pipe is not waited for, and a socket cannot be opened.
    int fd = local_open_below(root_of(storage), name, O_RDONLY | O_NONBLOCK, 0);
    struct stat info = {.st_mode = S_IFSOCK};
    if (fd < 0 && errno != ENXIO)
        return fail(path, "read", errno, err);
    int error = fd >= 0 && fstat(fd, &info) != 0 ? errno : 0;
    const char *other = file_is_no_file(&info);
    if (error != 0 || other != NULL) {
        if (fd >= 0)
            close(fd);
        return error != 0 || S_ISDIR(info.st_mode)
                   ? fail(path, "read", error != 0 ? error : EISDIR, err)
                   : err_set(err, ST_FAIL, "%s: cannot read: %s", path, other);
    }
    *ret = fd;
    *ret_size = (int64_t)info.st_size;
    return ST_OK;
}

// Reads until `n` bytes or the file's end; -1 with errno.
static ssize_t read_at(int fd, char *p, size_t n, int64_t offset)
{
    size_t done = 0;
    while (done < n) {
        ssize_t got = pread(fd, p + done, n - done, offset + (int64_t)done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

static enum status read_into(int fd, const char *path, int64_t offset, size_t n,
                             struct buf *ret, struct err *err)
{
    char *room = buf_room(ret, n);
    if (room == NULL)
        return buf_check(ret, path, err);
    ssize_t got = read_at(fd, room, n, offset);
    if (got < 0)
        return fail(path, "read", errno, err);
    ret->n += (size_t)got;
    return ST_OK;
}

static enum status local_read(struct storage *storage, struct str path, int64_t offset,
                              size_t size_bytes, struct buf *ret, struct err *err)
{
    TRY(storage_path_check(storage, path, false, err));
    AUTO(mem_auto_free) char *full = full_path(storage, path);
    int fd;
    int64_t size;
    TRY(open_file(storage, path, full, &fd, &size, err));
    int64_t left = size > offset ? size - offset : 0;
    size_t n = (uint64_t)left < size_bytes ? (size_t)left : size_bytes;
    enum status rc = check_time(storage, full, offset, err);
    if (rc == ST_OK)
        rc = read_into(fd, full, offset, n, ret, err);
    close(fd);
    return rc;
}

// Up to the size that it had when it was opened, however it grows.
static enum status sum_file(const struct storage *storage, int fd, const char *path,
                            int64_t size, struct checksummer *sum, struct err *err)
{
    AUTO(mem_auto_free) char *piece = mem_alloc(PIECE_BYTES);
    ssize_t n = 1;
    for (int64_t offset = 0; offset < size && n > 0; offset += n) {
        int64_t left = size - offset;
        TRY(check_time(storage, path, offset, err));
        n = read_at(fd, piece, left < PIECE_BYTES ? (size_t)left : PIECE_BYTES, offset);
        if (n < 0)
            return fail(path, "read", errno, err);
        checksummer_add(sum, piece, (size_t)n);
    }
    return ST_OK;
}

static enum status local_checksum(struct storage *storage, struct str path,
                                  struct checksum *ret, struct err *err)
{
    TRY(storage_path_check(storage, path, false, err));
    AUTO(mem_auto_free) char *full = full_path(storage, path);
    int fd;
    int64_t size;
    TRY(open_file(storage, path, full, &fd, &size, err));
    struct checksummer *sum = checksummer_open(storage->checksum_kind);
    enum status rc = sum_file(storage, fd, full, size, sum, err);
    if (rc == ST_OK)
        checksummer_finish(sum, ret);
    checksummer_free(sum);
    close(fd);
    return rc;
}

static enum status local_remove(struct storage *storage, struct str path, struct err *err)
{
    TRY(storage_path_check(storage, path, false, err));
    if (local_remove_tree(root_of(storage)->path, path) == 0)
        return ST_OK;
    int error = errno;
    AUTO(mem_auto_free) char *full = full_path(storage, path);
    return fail(full, "remove", error, err);
}

static void local_close(struct storage *storage)
{
    struct local *local = (struct local *)storage;
    free(local->path);
    free(storage->url);
    free(local);
}

static const struct storage_ops local_ops = {
    .write = local_write,
    .publish = local_publish,
    .create_exclusive = storage_create_by_rename,
    .replace = local_replace,
    .list = local_list,
    .stat = local_stat,
    .checksum = local_checksum,
    .mkdir = local_mkdir,
    .read = local_read,
    .remove = local_remove,
    .close = local_close,
};

static enum status open_local(const struct storage_url *url,
                              UNUSED const struct storage_config *config,
                              struct storage **ret, UNUSED struct err *err)
{
    struct local *local = mem_zalloc(sizeof(*local));
    local->storage = (struct storage){
        .ops = &local_ops,
        .url = mem_strdup(url->text),
        .exclusive = true,
        .durable = true,
        .renames = true,
        .takes_files = true,
    };
    local->path = mem_strdup(url->path);
    local->root = local_root_at(local->path[0] != '\0' ? local->path : "/");
    *ret = &local->storage;
    return ST_OK;
}

const struct storage_scheme storage_local_scheme = {
    .prefix = "file://",
    .form = "file:///directory",
    .is_local = true,
    .parse = storage_url_local,
    .open = open_local,
};
