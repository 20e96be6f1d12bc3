// SPDX-License-Identifier: Apache-2.0
// Inside of a feed: what directories and zips have in common. For src/gtfs only.
#ifndef GTFS_FEED_KIND_H
#define GTFS_FEED_KIND_H

#include "base/arena.h"
#include "gtfs/feed.h"
#include "http/url.h"

struct feed_entry {
    const char *name; // "trips.txt"
    const char *path; // inside the feed
    size_t depth;     // folders above it
    size_t index;     // in the zip's directory
    int64_t size;
    const char *twin; // path of another of this name, equally deep; NULL: none
};

struct feed_kind {
    // Calls feed_add for each file.
    enum status (*list)(struct feed *feed, struct err *err);
    enum status (*open)(struct feed *feed, const struct feed_entry *entry,
                        struct feed_member **ret, struct err *err);
    // Bytes of the zip that were taken for a member so far; NULL: nothing is packed.
    int64_t (*packed)(const struct feed_member *member);
};

extern const struct feed_kind feed_directory;
extern const struct feed_kind feed_zip;

struct feed {
    const struct feed_kind *kind;
    char *source;   // for messages
    char *location; // of the directory or zip, on this machine
    int fd;         // of a zip, else -1
    struct feed_options options;
    struct feed_entry *entries; // sorted by name
    size_t n_entries;
    size_t capacity;
    const char *inner_zip; // path of a zip inside, for a message; NULL: none
    struct arena arena;
};

// Notes a file of the feed; what is not a table (not .txt) is passed over.
void feed_add(struct feed *feed, const char *path, size_t index, int64_t size);

// Downloads to a temporary file that has no name any more; *ret_fd is the caller's.
enum status feed_download(const struct http_url *url, const struct feed_options *options,
                          int *ret_fd, struct err *err);

#endif
