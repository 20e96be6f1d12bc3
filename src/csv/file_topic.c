// SPDX-License-Identifier: Apache-2.0
#include "csv/file_topic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "csv/file_records.h"

struct file_topic {
    struct topic topic;       // first member
    struct file_records file; // its descriptor is ours
    char *path;
    char *name; // the path as UTF-8
};

static enum status count(UNUSED struct topic *topic, int32_t *ret, UNUSED struct err *err)
{
    *ret = 1;
    return ST_OK;
}

static enum status range(struct topic *base, UNUSED int32_t partition,
                         struct topic_range *ret, UNUSED struct err *err)
{
    *ret = (struct topic_range){0, ((struct file_topic *)base)->file.size};
    return ST_OK;
}

static enum status offset_at(struct topic *base, UNUSED int32_t partition,
                             UNUSED int64_t time_ms, UNUSED int64_t *ret, struct err *err)
{
    return err_set(err, ST_FAIL,
                   "%s: records of a file have no time; a start at a time needs a Kafka "
                   "topic",
                   ((struct file_topic *)base)->path);
}

static enum status fetch(struct topic *base, UNUSED int32_t partition, int64_t offset,
                         struct record *ret, struct err *err)
{
    struct file_records *file = &((struct file_topic *)base)->file;
    enum file_found found = FILE_FOUND_END;
    size_t size = 0;
    if (offset >= 0 && offset < file->size) {
        TRY(file_records_seek(file, offset, err));
        TRY(file_records_find(file, &found, &size, err));
        while (found == FILE_FOUND_MORE) {
            TRY(csv_window_fill(&file->window, err));
            TRY(file_records_find(file, &found, &size, err));
        }
    }
    if (found != FILE_FOUND_RECORD)
        return err_set(err, ST_NOT_FOUND, "%s: no record at byte %lld", file->path,
                       (long long)offset);
    *ret = file_records_front(file, size);
    return ST_OK;
}

static void topic_close(struct topic *base)
{
    struct file_topic *topic = (struct file_topic *)base;
    file_records_release(&topic->file);
    close(topic->file.fd);
    free(topic->path);
    free(topic->name);
    free(topic);
}

static const struct topic_ops csv_file_topic_ops = {
    .count = count,
    .range = range,
    .offset_at = offset_at,
    .fetch = fetch,
    .close = topic_close,
};

static enum status open_file(const char *path, int *ret_fd, int64_t *ret_size,
                             struct err *err)
{
    const char *why = file_open(path, ret_fd, ret_size);
    return why == NULL ? ST_OK
                       : err_set(err, errno == ENOENT ? ST_NOT_FOUND : ST_FAIL,
                                 "%s: cannot be opened: %s", path, why);
}

enum status csv_file_topic_open(const char *path, struct topic **ret, struct err *err)
{
    int fd = -1;
    int64_t size = 0;
    TRY(open_file(path, &fd, &size, err));
    struct file_topic *topic = mem_zalloc(sizeof(*topic));
    char *absolute = realpath(path, NULL);
    topic->path = absolute ? absolute : mem_strdup(path);
    file_records_init(&topic->file, topic->path, fd, size);
    struct buf name = {0};
    text_utf8(&name, str_of(topic->path));
    topic->name = buf_detach(&name);
    topic->topic = (struct topic){.ops = &csv_file_topic_ops,
                                  .cluster = STR_LITERAL("file"),
                                  .name = str_of(topic->name)};
    *ret = &topic->topic;
    return ST_OK;
}

struct csv_file csv_file_topic_file(const struct topic *base)
{
    const struct file_topic *topic = (const struct file_topic *)base;
    return (struct csv_file){topic->path, topic->file.fd, topic->file.size};
}
