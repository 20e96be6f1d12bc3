// SPDX-License-Identifier: Apache-2.0
#include "gtfs/feed.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "core/env.h"
#include "gtfs/feed_kind.h"

#define DOWNLOAD_BYTES (INT64_C(4) << 30)
#define DOWNLOAD_MS    (INT64_C(30) * 60 * 1000)
#define MEMBER_BYTES   (INT64_C(16) << 30)
#define MEMBER_RATIO   200

static struct feed_options with_defaults(const struct feed_options *options)
{
    struct feed_options all = options ? *options : (struct feed_options){0};
    if (all.download_bytes == 0)
        all.download_bytes = DOWNLOAD_BYTES;
    if (all.download_ms == 0)
        all.download_ms = DOWNLOAD_MS;
    if (all.member_bytes == 0)
        all.member_bytes = MEMBER_BYTES;
    if (all.member_ratio == 0)
        all.member_ratio = MEMBER_RATIO;
    return all;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static size_t depth_of(const char *path)
{
    size_t depth = 0;
    for (; *path; path++)
        depth += *path == '/';
    return depth;
}

static struct feed_entry *find(const struct feed *feed, const char *name)
{
    for (size_t i = 0; i < feed->n_entries; i++)
        if (strcmp(feed->entries[i].name, name) == 0)
            return &feed->entries[i];
    return NULL;
}

void feed_add(struct feed *feed, const char *path, size_t index, int64_t size)
{
    const char *own = arena_cstr(&feed->arena, str_of(path));
    const char *name = base_name(own);
    struct str text = str_of(name);
    bool is_junk = str_starts_with(str_of(path), "__MACOSX/") || *name == '.';
    if (!is_junk && str_ends_with(text, ".zip"))
        feed->inner_zip = own;
    if (is_junk || !str_ends_with(text, ".txt"))
        return;
    struct feed_entry entry = {name, own, depth_of(own), index, size, NULL};
    struct feed_entry *same = find(feed, name);
    if (same == NULL) {
        MEM_GROW(feed->entries, feed->n_entries, feed->capacity);
        feed->entries[feed->n_entries++] = entry;
    } else if (entry.depth < same->depth) {
        *same = entry;
    } else if (entry.depth == same->depth) {
        same->twin = own;
    }
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct feed_entry *)a)->name,
                  ((const struct feed_entry *)b)->name);
}

static enum status list(struct feed *feed, struct err *err)
{
    TRY(feed->kind->list(feed, err));
    if (feed->n_entries > 0)
        qsort(feed->entries, feed->n_entries, sizeof(*feed->entries), compare);
    else if (feed->inner_zip != NULL)
        return err_set(err, ST_DATA,
                       "%s: no GTFS table (*.txt), but the zip %s: unpack that one first",
                       feed->source, feed->inner_zip);
    else
        return err_set(err, ST_DATA, "%s: no GTFS table (*.txt) in it", feed->source);
    return ST_OK;
}

// What is meant as a URL, however it is mistyped, may hold a key.
static const char *shown_path(struct feed *feed, const char *path)
{
    bool is_url = strstr(path, "//") != NULL || strstr(path, ":/") != NULL ||
                  strchr(path, '@') != NULL;
    return is_url ? http_url_shown(str_of(path), &feed->arena) : path;
}

static enum status cannot_open(struct feed *feed, const char *path, const char *why,
                               struct err *err)
{
    return err_set(err, errno == ENOENT ? ST_NOT_FOUND : ST_FAIL,
                   "cannot open the feed %s: %s; a feed is a zip, a directory or an "
                   "http(s) URL",
                   shown_path(feed, path), why);
}

static enum status open_path(struct feed *feed, const char *path, struct err *err)
{
    struct stat info;
    char *absolute = realpath(path, NULL);
    if (absolute == NULL || stat(absolute, &info) != 0) {
        free(absolute); // keeps errno
        return cannot_open(feed, path, strerror(errno), err);
    }
    feed->source = absolute;
    feed->location = mem_strdup(absolute);
    feed->kind = S_ISDIR(info.st_mode) ? &feed_directory : &feed_zip;
    if (feed->kind == &feed_directory)
        return ST_OK;
    int64_t size;
    const char *why = file_open(absolute, &feed->fd, &size);
    return why == NULL ? ST_OK : cannot_open(feed, path, why, err);
}

static enum status open_url(struct feed *feed, const struct http_url *url,
                            struct err *err)
{
    feed->source = mem_strdup(url->shown);
    TRY(feed_download(url, &feed->options, &feed->fd, err));
    feed->kind = &feed_zip;
    return ST_OK;
}

static enum status open_any(struct feed *feed, const char *location, struct err *err)
{
    struct str text = str_of(location);
    struct http_url url;
    if (http_url_parse(text, &feed->arena, &url))
        TRY(open_url(feed, &url, err));
    else if (strncasecmp(location, "http://", 7) == 0 ||
             strncasecmp(location, "https://", 8) == 0)
        return err_set(err, ST_USAGE,
                       "the feed's URL is not valid; write http://host/path");
    else if (str_starts_with(text, "file:///"))
        TRY(open_path(feed, location + strlen("file://"), err));
    else
        TRY(open_path(feed, location, err));
    return list(feed, err);
}

enum status feed_open(const char *location, const struct feed_options *options,
                      struct feed **ret, struct err *err)
{
    struct feed *feed = mem_zalloc(sizeof(*feed));
    feed->fd = -1;
    feed->options = with_defaults(options);
    enum status rc = open_any(feed, location, err);
    if (rc == ST_OK)
        *ret = feed;
    else
        feed_close(feed);
    return rc;
}

void feed_close(struct feed *feed)
{
    if (feed == NULL)
        return;
    if (feed->fd >= 0)
        close(feed->fd);
    free(feed->entries);
    free(feed->location);
    free(feed->source);
    arena_release(&feed->arena);
    free(feed);
}

const char *feed_source(const struct feed *feed)
{
    return feed->source;
}

size_t feed_count(const struct feed *feed)
{
    return feed->n_entries;
}

const char *feed_name(const struct feed *feed, size_t index)
{
    return feed->entries[index].name;
}

bool feed_has(const struct feed *feed, const char *name)
{
    return find(feed, name) != NULL;
}

static enum status no_member(const struct feed *feed, const char *name, struct err *err)
{
    AUTO(buf_release) struct buf names = {0};
    for (size_t i = 0; i < feed->n_entries; i++)
        buf_printf(&names, "%s%s", i ? ", " : "", feed->entries[i].name);
    return err_set(err, ST_NOT_FOUND, "%s: no member %s; there are %s", feed->source,
                   name, buf_cstr(&names));
}

// What a feed says of a member is not believed: it is measured while it is read.
struct measured {
    struct feed_member member;
    struct feed_member *inner;
    const struct feed *feed;
    const char *path;
    int64_t n_bytes;
};

static enum status measure(const struct measured *measured, struct err *err)
{
    const struct feed *feed = measured->feed;
    int64_t most = feed->options.member_bytes, ratio = feed->options.member_ratio;
    if (measured->n_bytes > most)
        return err_set(err, ST_LIMIT,
                       "%s: %s has more than the %lld bytes that are read; raise SET "
                       "feed.member_size",
                       feed->source, measured->path, (long long)most);
    if (feed->kind->packed != NULL &&
        measured->n_bytes / ratio > feed->kind->packed(measured->inner))
        return err_set(err, ST_LIMIT,
                       "%s: %s unpacks to more than %lld times its bytes in the zip; if "
                       "that is as it should be, raise SET feed.member_ratio",
                       feed->source, measured->path, (long long)ratio);
    if (measured->n_bytes > measured->member.size)
        return err_set(err, ST_DATA,
                       "%s: %s has more than the %lld bytes that were to be in it",
                       feed->source, measured->path, (long long)measured->member.size);
    return ST_OK;
}

static enum status read_measured(struct reader *reader, void *p, size_t capacity,
                                 size_t *ret_n, struct err *err)
{
    struct measured *measured = (struct measured *)reader;
    const struct feed *feed = measured->feed;
    struct env *env = env_system();
    if (deadline_is_over(feed->options.deadline, env->ops->monotonic_ms(env)))
        return err_set(err, ST_RETRY, "%s: %s: no time was left after %lld bytes",
                       feed->source, measured->path, (long long)measured->n_bytes);
    struct reader *inner = &measured->inner->reader;
    TRY(inner->read(inner, p, capacity, ret_n, err));
    measured->n_bytes += (int64_t)*ret_n;
    return measure(measured, err);
}

static void close_measured(struct feed_member *base)
{
    struct measured *measured = (struct measured *)base;
    measured->inner->close(measured->inner);
    free(measured);
}

static enum status open_measured(struct feed *feed, const struct feed_entry *entry,
                                 struct feed_member **ret, struct err *err)
{
    struct feed_member *inner;
    TRY(feed->kind->open(feed, entry, &inner, err));
    struct measured *measured = mem_zalloc(sizeof(*measured));
    measured->member =
        (struct feed_member){{.read = read_measured}, inner->size, close_measured};
    measured->inner = inner;
    measured->feed = feed;
    measured->path = entry->path;
    *ret = &measured->member;
    return ST_OK;
}

enum status feed_member_open(struct feed *feed, const char *name,
                             struct feed_member **ret, struct err *err)
{
    const struct feed_entry *entry = find(feed, name);
    if (entry == NULL)
        return no_member(feed, name, err);
    if (entry->twin != NULL)
        return err_set(err, ST_DATA, "%s: two files of one name, %s and %s", feed->source,
                       entry->path, entry->twin);
    if (entry->size > feed->options.member_bytes)
        return err_set(err, ST_LIMIT,
                       "%s: %s has %lld bytes; at most %lld are read: raise SET "
                       "feed.member_size",
                       feed->source, entry->path, (long long)entry->size,
                       (long long)feed->options.member_bytes);
    return open_measured(feed, entry, ret, err);
}

void feed_member_close(struct feed_member *member)
{
    if (member != NULL)
        member->close(member);
}
