// SPDX-License-Identifier: Apache-2.0
#include "storage/spool_local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "storage/spool_pool.h"

struct local_spool {
    struct spool spool;
    struct spool_pool *pool;
    bool can_be_named; // its files
    char *directory;
    const char *way_out; // to another one
};

struct local_file {
    struct spool_file file;
    struct spool_pool *pool;
    int fd;
    int64_t size_bytes; // behind them may be bytes of another file before this one
    bool can_be_named;
    bool is_given;   // somebody may have it open, under a name
    char *directory; // for messages
    const char *way_out;
};

static enum status failed(const char *directory, const char *way_out, const char *what,
                          struct err *err)
{
    return err_set(
        err, ST_FAIL, "spool directory %s: %s: %s; %s", directory, what, strerror(errno),
        errno == EMFILE ? "raise the limit of open files (ulimit -n)" : way_out);
}

static enum status file_failed(const struct local_file *file, const char *what,
                               struct err *err)
{
    return failed(file->directory, file->way_out, what, err);
}

static enum status append(struct spool_file *base, struct str bytes, struct err *err)
{
    struct local_file *file = (struct local_file *)base;
    while (bytes.n) {
        ssize_t n = write(file->fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return file_failed(file, "cannot write", err);
        file->size_bytes += n;
        bytes = (struct str){bytes.p + n, bytes.n - (size_t)n};
    }
    return ST_OK;
}

static enum status overwrite(struct spool_file *base, struct str bytes, struct err *err)
{
    struct local_file *file = (struct local_file *)base;
    for (size_t at = 0; at < bytes.n;) {
        ssize_t n = pwrite(file->fd, bytes.p + at, bytes.n - at, (off_t)at);
        if (n < 0 && errno != EINTR)
            return file_failed(file, "cannot write", err);
        at += n < 0 ? 0 : (size_t)n;
    }
    return ST_OK;
}

static enum status read_at(struct spool_file *base, int64_t offset, void *p,
                           size_t capacity, size_t *ret_n, struct err *err)
{
    struct local_file *file = (struct local_file *)base;
    int64_t left = file->size_bytes > offset ? file->size_bytes - offset : 0;
    ssize_t n;
    if (left < (int64_t)capacity)
        capacity = (size_t)left;
    do {
        n = pread(file->fd, p, capacity, offset);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return file_failed(file, "cannot read", err);
    *ret_n = (size_t)n;
    return ST_OK;
}

static int descriptor(struct spool_file *base)
{
    struct local_file *file = (struct local_file *)base;
    if (!file->can_be_named || ftruncate(file->fd, file->size_bytes) != 0)
        return -1;
    file->is_given = true;
    return file->fd;
}

static int source(const struct spool_file *base)
{
    return ((const struct local_file *)base)->fd;
}

static void discard(struct spool_file *base)
{
    struct local_file *file = (struct local_file *)base;
    if (file->is_given)
        close(file->fd);
    else
        spool_pool_give(file->pool, file->fd, file->size_bytes);
    spool_pool_unref(file->pool);
    free(file->directory);
    free(file);
}

static const struct spool_file_ops file_ops = {
    .append = append,
    .overwrite = overwrite,
    .read = read_at,
    .descriptor = descriptor,
    .source = source,
    .discard = discard,
};

// Some file systems cannot make a file without a name: there it loses its name at once,
// and cannot have another one. The mode is that of a result's file; the directory is the
// user's alone.
static int open_unnamed(const char *directory, bool *ret_can_be_named)
{
    int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0640);
    *ret_can_be_named = fd >= 0;
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
        return fd;
    char *name = mem_printf("%s/spool-XXXXXX", directory);
    fd = mkostemp(name, O_CLOEXEC);
    if (fd >= 0)
        unlink(name);
    free(name);
    return fd;
}

static enum status create(struct spool *base, struct spool_file **ret, struct err *err)
{
    struct local_spool *spool = (struct local_spool *)base;
    int fd = spool_pool_take(spool->pool);
    if (fd < 0)
        fd = open_unnamed(spool->directory, &spool->can_be_named);
    if (fd < 0)
        return failed(spool->directory, spool->way_out, "cannot make a file", err);
    struct local_file *file = mem_zalloc(sizeof(*file));
    file->file.ops = &file_ops;
    file->pool = spool_pool_ref(spool->pool);
    file->fd = fd;
    file->can_be_named = spool->can_be_named;
    file->directory = mem_strdup(spool->directory);
    file->way_out = spool->way_out;
    *ret = &file->file;
    return ST_OK;
}

static void close_spool(struct spool *base)
{
    struct local_spool *spool = (struct local_spool *)base;
    spool_pool_unref(spool->pool);
    free(spool->directory);
    free(spool);
}

static const struct spool_ops ops = {
    .create = create,
    .close = close_spool,
};

static enum status open_spool(const char *directory, const char *way_out,
                              struct spool **ret, struct err *err)
{
    struct local_spool *spool = mem_zalloc(sizeof(*spool));
    spool->spool.ops = &ops;
    spool->pool = spool_pool_open();
    spool->directory = mem_strdup(directory);
    spool->way_out = way_out;
    struct spool_file *trial;
    enum status rc = create(&spool->spool, &trial, err);
    if (rc != ST_OK) {
        close_spool(&spool->spool);
        return rc;
    }
    discard(trial);
    *ret = &spool->spool;
    return ST_OK;
}

enum status spool_local_open(const char *directory, struct spool **ret, struct err *err)
{
    return open_spool(directory, "SET spool = '...' names another one", ret, err);
}

enum status spool_local_open_temporary(struct spool **ret, struct err *err)
{
    const char *set = getenv("TMPDIR"), *directory = set && set[0] ? set : "/tmp";
    return open_spool(directory, "set TMPDIR to another place", ret, err);
}
