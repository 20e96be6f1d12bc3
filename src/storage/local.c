// SPDX-License-Identifier: Apache-2.0
#include "storage/local.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/path.h"

enum {
    PIECE_BYTES = 256 << 10
};

struct local {
    struct storage storage;
    char *root; // absolute; "" for "/"
};

static char *full_path(const struct storage *storage, struct str path)
{
    return storage_path_join(((const struct local *)storage)->root, path);
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
    case ELOOP:
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
    return err_set(err, status_of_errno(error), "%s: cannot %s: %s%s", path, verb,
                   strerror(error), way_out(error));
}

static int sync_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int rc = fsync(fd);
    int error = errno;
    close(fd);
    errno = error;
    return rc != 0 && error == EINVAL ? 0 : rc; // a file system without it
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

static int check_directory(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return -1;
    errno = ENOTDIR;
    return S_ISDIR(info.st_mode) ? 0 : -1;
}

// Who made it may be about to sync it. A parent that cannot be read is not ours: it has
// been there for long.
static int sync_found(const char *path)
{
    return sync_parent(path) == 0 || errno == EACCES ? 0 : -1;
}

// mkdir -p; each directory made is on the disk before the next. Recursion is over the
// parts of the path.
static int make_directories(const char *path)
{
    if (mkdir(path, 0750) == 0)
        return sync_parent(path);
    if (errno == EEXIST)
        return check_directory(path) == 0 ? sync_found(path) : -1;
    if (errno != ENOENT)
        return -1;
    AUTO(mem_auto_free) char *parent = parent_of(path);
    if (make_directories(parent) != 0)
        return -1;
    if (mkdir(path, 0750) != 0 && errno != EEXIST)
        return -1;
    return sync_parent(path);
}

static enum status local_mkdir(struct storage *storage, struct str path, struct err *err)
{
    TRY(storage_path_check(storage, path, true, err));
    AUTO(mem_auto_free) char *full = full_path(storage, path);
    if (make_directories(full) != 0)
        return fail(full, "make the directory", errno, err);
    return ST_OK;
}

static int create_file(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
}

static enum status create(const char *path, int *ret, struct err *err)
{
    int fd = create_file(path);
    if (fd < 0 && errno == ENOENT) {
        AUTO(mem_auto_free) char *parent = parent_of(path);
        if (make_directories(parent) != 0)
            return fail(parent, "make the directory", errno, err);
        fd = create_file(path);
    }
    if (fd < 0)
        return fail(path, "write", errno, err);
    *ret = fd;
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

static enum status copy_reader(int fd, const char *path, struct reader *reader,
                               int64_t size_bytes, struct err *err)
{
    AUTO(mem_auto_free) char *piece = mem_alloc(PIECE_BYTES);
    int64_t total = 0;
    for (;;) {
        size_t n;
        TRY(reader->read(reader, piece, PIECE_BYTES, &n, err));
        if (n == 0)
            break;
        if (write_all(fd, piece, n) != 0)
            return fail(path, "write", errno, err);
        total += (int64_t)n;
    }
    if (total != size_bytes)
        return err_set(err, ST_FAIL, "%s: %lld bytes were promised and %lld came", path,
                       (long long)size_bytes, (long long)total);
    return ST_OK;
}

static enum status fill(int fd, const char *path, struct reader *reader,
                        int64_t size_bytes, struct err *err)
{
    TRY(copy_reader(fd, path, reader, size_bytes, err));
    if (fsync(fd) != 0 || sync_parent(path) != 0)
        return fail(path, "write", errno, err);
    return ST_OK;
}

static enum status write_file(const char *path, struct reader *reader, int64_t size_bytes,
                              struct err *err)
{
    int fd = -1;
    TRY(create(path, &fd, err));
    enum status rc = fill(fd, path, reader, size_bytes, err);
    if (close(fd) != 0 && rc == ST_OK)
        rc = fail(path, "write", errno, err);
    if (rc != ST_OK)
        unlink(path); // it is ours: made exclusively
    return rc;
}

static enum status local_write(struct storage *storage, struct str path,
                               struct reader *reader, int64_t size_bytes, struct err *err)
{
    TRY(storage_path_check(storage, path, false, err));
    AUTO(mem_auto_free) char *full = full_path(storage, path);
    enum status rc = write_file(full, reader, size_bytes, err);
    if (rc == ST_NOT_FOUND)
        return err_set(err, ST_RETRY, "%s: was removed while it was written", full);
    return rc;
}

// ENOENT says that one of two things is missing; tells which.
static enum status fail_rename(const char *from, const char *to, int error,
                               struct err *err)
{
    struct stat info;
    if (error != ENOENT)
        return fail(to, "rename to it", error, err);
    if (lstat(from, &info) != 0)
        return err_set(err, ST_NOT_FOUND, "%s: is not there, cannot be renamed", from);
    return err_set(err, ST_NOT_FOUND, "%s: cannot rename to it: its directory is missing",
                   to);
}

static enum status rename_with(int (*rename_file)(const char *, const char *),
                               struct storage *storage, struct str from, struct str to,
                               struct err *err)
{
    TRY(storage_paths_check(storage, from, to, err));
    AUTO(mem_auto_free) char *source = full_path(storage, from);
    AUTO(mem_auto_free) char *target = full_path(storage, to);
    if (rename_file(source, target) != 0)
        return fail_rename(source, target, errno, err);
    if (sync_parent(target) != 0 || sync_parent(source) != 0)
        return err_set(err, ST_UNKNOWN,
                       "%s: renamed, but perhaps not yet on the disk: %s", target,
                       strerror(errno));
    return ST_OK;
}

static enum status local_publish(struct storage *storage, struct str from, struct str to,
                                 struct err *err)
{
    return rename_with(local_rename_exclusive, storage, from, to, err);
}

static enum status local_replace(struct storage *storage, struct str from, struct str to,
                                 struct err *err)
{
    return rename_with(rename, storage, from, to, err);
}

static void set_info(const struct stat *from, struct file_info *ret)
{
    ret->is_directory = S_ISDIR(from->st_mode);
    ret->size = ret->is_directory ? 0 : (int64_t)from->st_size;
    ret->modified_ms =
        (int64_t)from->st_mtim.tv_sec * 1000 + from->st_mtim.tv_nsec / 1000000;
}

static enum status local_stat(struct storage *storage, struct str path,
                              struct file_info *ret, struct err *err)
{
    TRY(storage_path_check(storage, path, true, err));
    AUTO(mem_auto_free) char *full = full_path(storage, path);
    struct stat info;
    if (stat(full, &info) != 0)
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
    if (fstatat(dirfd(dir), name, &info, 0) != 0 &&
        fstatat(dirfd(dir), name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
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
    DIR *dir = opendir(full);
    if (dir == NULL)
        return fail(full, "list", errno, err);
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

static enum status open_file(const char *path, int *ret, int64_t *ret_size,
                             struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail(path, "read", errno, err);
    struct stat info;
    int error = fstat(fd, &info) != 0 ? errno : S_ISDIR(info.st_mode) ? EISDIR : 0;
    if (error != 0) {
        close(fd);
        return fail(path, "read", error, err);
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
    TRY(open_file(full, &fd, &size, err));
    int64_t left = size > offset ? size - offset : 0;
    size_t n = (uint64_t)left < size_bytes ? (size_t)left : size_bytes;
    enum status rc = read_into(fd, full, offset, n, ret, err);
    close(fd);
    return rc;
}

static enum status sum_file(int fd, const char *path, struct checksummer *sum,
                            struct err *err)
{
    AUTO(mem_auto_free) char *piece = mem_alloc(PIECE_BYTES);
    ssize_t n;
    for (int64_t offset = 0; (n = read_at(fd, piece, PIECE_BYTES, offset)) > 0;
         offset += n)
        checksummer_add(sum, piece, (size_t)n);
    return n < 0 ? fail(path, "read", errno, err) : ST_OK;
}

static enum status local_checksum(struct storage *storage, struct str path,
                                  struct checksum *ret, struct err *err)
{
    TRY(storage_path_check(storage, path, false, err));
    AUTO(mem_auto_free) char *full = full_path(storage, path);
    int fd;
    int64_t size;
    TRY(open_file(full, &fd, &size, err));
    struct checksummer *sum = checksummer_open(CHECKSUM_BLOCK_BYTES);
    enum status rc = sum_file(fd, full, sum, err);
    if (rc == ST_OK)
        checksummer_finish(sum, ret);
    checksummer_free(sum);
    close(fd);
    return rc;
}

static enum status local_remove(struct storage *storage, struct str path, struct err *err)
{
    TRY(storage_path_check(storage, path, false, err));
    const struct local *local = (const struct local *)storage;
    const char *root = local->root[0] != '\0' ? local->root : "/";
    if (local_remove_tree(root, path) == 0)
        return ST_OK;
    int error = errno;
    AUTO(mem_auto_free) char *full = full_path(storage, path);
    return fail(full, "remove", error, err);
}

static void local_close(struct storage *storage)
{
    struct local *local = (struct local *)storage;
    free(local->root);
    free(storage->url);
    free(local);
}

static const struct storage_ops local_ops = {
    .write = local_write,
    .publish = local_publish,
    .replace = local_replace,
    .list = local_list,
    .stat = local_stat,
    .checksum = local_checksum,
    .mkdir = local_mkdir,
    .read = local_read,
    .remove = local_remove,
    .close = local_close,
};

struct storage *storage_local_open(const struct storage_url *url)
{
    struct local *local = mem_zalloc(sizeof(*local));
    local->storage = (struct storage){
        .ops = &local_ops,
        .url = mem_strdup(url->text),
        .exclusive = true,
        .durable = true,
    };
    local->root = mem_strdup(url->path);
    return &local->storage;
}
