// SPDX-License-Identifier: Apache-2.0
// A feed that is a directory of text files.
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "gtfs/feed_kind.h"

struct directory_member {
    struct feed_member member;
    char *path;
    int fd;
};

static enum status list_directory(struct feed *feed, struct err *err)
{
    DIR *dir = opendir(feed->location);
    if (dir == NULL)
        return err_set(err, ST_FAIL, "cannot list the feed %s: %s", feed->location,
                       strerror(errno));
    const struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        struct stat info;
        if (fstatat(dirfd(dir), entry->d_name, &info, 0) == 0 && S_ISREG(info.st_mode))
            feed_add(feed, entry->d_name, 0, info.st_size);
    }
    closedir(dir);
    return ST_OK;
}

static enum status read_member(struct reader *reader, void *p, size_t capacity,
                               size_t *ret_n, struct err *err)
{
    struct directory_member *member = (struct directory_member *)reader;
    ssize_t n;
    do {
        n = read(member->fd, p, capacity);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_set(err, ST_FAIL, "cannot read %s: %s", member->path, strerror(errno));
    *ret_n = (size_t)n;
    return ST_OK;
}

static void close_member(struct feed_member *base)
{
    struct directory_member *member = (struct directory_member *)base;
    if (member->fd >= 0)
        close(member->fd);
    free(member->path);
    free(member);
}

static enum status open_member(struct feed *feed, const struct feed_entry *entry,
                               struct feed_member **ret, struct err *err)
{
    struct directory_member *member = mem_zalloc(sizeof(*member));
    int64_t size;
    member->fd = -1;
    member->path = mem_printf("%s/%s", feed->location, entry->path);
    const char *why = file_open(member->path, &member->fd, &size);
    if (why != NULL) {
        enum status rc = err_set(err, ST_FAIL, "cannot read %s: %s", member->path, why);
        close_member(&member->member);
        return rc;
    }
    member->member = (struct feed_member){{.read = read_member}, size, close_member};
    *ret = &member->member;
    return ST_OK;
}

const struct feed_kind feed_directory = {
    .list = list_directory,
    .open = open_member,
};
