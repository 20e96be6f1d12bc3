// SPDX-License-Identifier: Apache-2.0
#include "base/text_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"

enum {
    TEXT_BYTES_MAX = 4 << 20
};

static enum status read_all(int fd, const char *path, struct buf *ret, struct err *err)
{
    char *room = buf_room(ret, TEXT_BYTES_MAX);
    if (room == NULL)
        return buf_check(ret, path, err);
    size_t total = 0;
    ssize_t n = 1;
    while (n > 0 && total < TEXT_BYTES_MAX) {
        n = read(fd, room + total, TEXT_BYTES_MAX - total);
        total += n > 0 ? (size_t)n : 0;
    }
    ret->n += total;
    if (n < 0)
        return err_set(err, ST_USAGE, "cannot read %s: %s", path, strerror(errno));
    if (total == TEXT_BYTES_MAX)
        return err_set(err, ST_USAGE, "%s has more than %d bytes", path,
                       TEXT_BYTES_MAX - 1);
    return ST_OK;
}

static enum status cannot_open(const char *path, const char *why, struct err *err)
{
    return err_set(err, ST_USAGE, "cannot open %s: %s", path, why);
}

enum status text_file_read(const char *path, struct buf *ret, struct err *err)
{
    int fd;
    int64_t size;
    const char *why = file_open(path, &fd, &size);
    if (why != NULL)
        return cannot_open(path, why, err);
    enum status rc = read_all(fd, path, ret, err);
    close(fd);
    return rc;
}

enum status text_input_read(const char *path, struct buf *ret, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return cannot_open(path, strerror(errno), err);
    enum status rc = read_all(fd, path, ret, err);
    close(fd);
    return rc;
}
